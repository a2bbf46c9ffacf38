// What the theme makes in the browser, for those who use a keyboard or a screen reader: what can be scrolled, wide tables
// and figures on a phone, is reached by Tab, and the buttons of pieces of code have names.
window.addEventListener("load", () => {
  for (const each of document.querySelectorAll(".md-typeset__scrollwrap, .md-typeset p"))
    if (each.scrollWidth > each.clientWidth && getComputedStyle(each).overflowX === "auto") each.tabIndex = 0;
  document.querySelectorAll(".md-code__nav").forEach((each, i) => { each.ariaLabel = `Code ${i + 1}`; });
});
