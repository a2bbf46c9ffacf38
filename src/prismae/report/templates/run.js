// what is wider or taller than its room can be scrolled by keys, too
(() => {
  const places = document.querySelectorAll(".scroll, .table, .stage");
  const mark = (place) => {
    const scrolls = place.scrollWidth > place.clientWidth + 1 || place.scrollHeight > place.clientHeight + 1;
    if (!scrolls) return ["tabindex", "role", "aria-label"].forEach((name) => place.removeAttribute(name));
    const picture = place.querySelector("[aria-label]");
    const heading = place.closest("section").querySelector("h2");
    place.tabIndex = 0;
    place.setAttribute("role", "group");
    place.setAttribute("aria-label", ((picture && picture.getAttribute("aria-label")) || heading.textContent) + " (scrolls)");
  };
  const sizes = new ResizeObserver((seen) => seen.forEach((each) => mark(each.target)));
  places.forEach((place) => sizes.observe(place));
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((each) => (each.open = true)));
})();
(() => {
  const source = document.getElementById("player-data");
  if (!source) return;
  const data = JSON.parse(source.textContent);
  const host = document.getElementById("players");
  const make = (tag, cls, parent, space) => {
    const node = space ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
    if (cls) node.setAttribute("class", cls);
    if (parent) parent.append(node);
    return node;
  };

  // one function a kind: builds the picture of latent `row` and returns how to show frame `t` of it
  const images = (card, row) => {
    const frame = make("div", "frame" + (data.width < 48 ? " tiny" : ""), card);
    const share = (i, n) => (n > 1 ? (100 * i) / (n - 1) : 0) + "%";
    frame.style.aspectRatio = data.width + " / " + data.height;
    frame.style.backgroundImage = "url(" + data.sheet + ")";
    frame.style.backgroundSize = 100 * data.steps + "% " + 100 * data.latents.length + "%";
    return (t) => {
      frame.style.backgroundPosition = share(t, data.steps) + " " + share(row, data.latents.length);
    };
  };
  const levels = data.kind === "series" && Uint8Array.from(atob(data.data), (c) => c.charCodeAt(0));
  // each channel of a series has a lane of its own, the first at the top
  const lane = 267;
  const points = (row, t, k) => {
    const start = ((row * data.steps + t) * data.channels + k) * data.points;
    const text = [];
    for (let i = 0; i < data.points; i++) text.push(i + "," + (255 + k * lane - levels[start + i]));
    return text.join(" ");
  };
  const series = (card, row) => {
    const frame = make("svg", "frame", card, true);
    frame.setAttribute("viewBox", "0 -6 " + Math.max(data.points - 1, 1) + " " + lane * data.channels);
    frame.setAttribute("preserveAspectRatio", "none");
    if (data.channels > 1) frame.style.height = Math.max(7, 2.6 * data.channels) + "rem";
    const curve = (cls, t, k) => {
      const line = make("polyline", cls, frame, true);
      line.setAttribute("points", points(row, t, k));
      return line;
    };
    const now = [];
    for (let k = 0; k < data.channels; k++) {
      curve("ghost low", 0, k);
      curve("ghost high", data.steps - 1, k);
      now.push(curve("now", 0, k));
    }
    return (t) => now.forEach((line, k) => line.setAttribute("points", points(row, t, k)));
  };

  const middle = Math.floor((data.steps - 1) / 2);
  const signed = (value, range) => {
    const digits = Math.min(4, Math.max(2, 2 - Math.floor(Math.log10(range || 1)))); // as fine as the range asks for
    const text = Math.abs(value).toFixed(digits);
    return (Number(text) ? (value < 0 ? "\u2212" : "+") : "") + text;
  };
  const players = data.latents.map((latent, row) => {
    const card = make("div", "player" + (latent.dead ? " dead" : ""), host);
    const head = make("header", "", card);
    make("b", "", head).textContent = latent.name;
    make("span", "", head).textContent =
      latent.dead ? "dead" : latent.spread === null ? "" : "spread " + latent.spread;
    const show = (data.kind === "images" ? images : series)(card, row);
    const foot = make("div", "foot", card);
    const range = make("input", "", foot);
    Object.assign(range, { type: "range", min: 0, max: data.steps - 1, step: 1 });
    range.setAttribute("aria-label", "value of " + latent.name);
    const output = make("output", "", foot);
    const set = (t) => {
      range.value = t;
      output.textContent = signed(latent.values[t], Math.max(...latent.values) - Math.min(...latent.values));
      range.setAttribute("aria-valuetext", output.textContent);
      show(t);
    };
    range.addEventListener("input", () => set(Number(range.value)));
    set(middle);
    return set;
  });

  const sweep = document.getElementById("sweep");
  const setAll = (t) => {
    sweep.value = t;
    players.forEach((set) => set(t));
  };
  sweep.max = data.steps - 1;
  sweep.value = middle;
  sweep.addEventListener("input", () => setAll(Number(sweep.value)));

  const play = document.getElementById("play");
  let timer = null;
  play.addEventListener("click", () => {
    if (timer) {
      clearInterval(timer);
      timer = null;
    } else {
      let t = Number(sweep.value);
      let way = 1;
      timer = setInterval(() => {
        if (t + way < 0 || t + way > data.steps - 1) way = -way;
        t = Math.min(Math.max(t + way, 0), data.steps - 1);
        setAll(t);
      }, 140);
    }
    play.textContent = timer ? "Pause" : "Play";
  });
})();
