// Sliders that combine: each move decodes all codes anew, in this page.
(() => {
  const source = document.getElementById("explorer-data");
  if (!source) return;
  const data = JSON.parse(source.textContent);
  const decode = prismaeDecoder(data.decoder);
  const originals = prismaeHalves(data.originals);
  const size = data.shape.reduce((a, b) => a * b, 1);
  const codes = data.base.slice();
  const by = (id) => document.getElementById(id);
  const make = (tag, cls, parent, space) => {
    const node = space ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
    if (cls) node.setAttribute("class", cls);
    if (parent) parent.append(node);
    return node;
  };
  const plain = (value) => {
    const size = Math.abs(value);
    const wide = size >= 1e6 || (size > 0 && size < 1e-3);
    const digits = Math.max(0, 2 - Math.floor(Math.log10(Number(size.toPrecision(3)) || 1))); // 0.9999 is 1.00
    const text = wide ? size.toExponential(2).replace("-", "\u2212") : size.toFixed(Math.min(digits, 4));
    return (value < 0 && /[1-9]/.test(text) ? "\u2212" : "") + text;
  };
  const signed = (value, range) => {
    const digits = Math.min(4, Math.max(2, 2 - Math.floor(Math.log10(range || 1)))); // as fine as the range asks for
    const text = Math.abs(value).toFixed(digits);
    return (Number(text) ? (value < 0 ? "\u2212" : "+") : "") + text;
  };

  const canvas = (place) => {
    const [channels, height, width] = data.shape;
    const drawn = make("canvas", width < 128 ? "tiny" : "", place);
    Object.assign(drawn, { width, height });
    const context = drawn.getContext("2d");
    const pixels = context.createImageData(width, height);
    const plane = width * height;
    const [low, high] = data.ends;
    return (values) => {
      for (let i = 0; i < plane; i++) {
        for (let c = 0; c < 3; c++) {
          const channel = channels === 1 ? 0 : c;
          pixels.data[4 * i + c] = channel < channels ? (255 * (values[channel * plane + i] - low)) / (high - low) : 0;
        }
        pixels.data[4 * i + 3] = 255;
      }
      context.putImageData(pixels, 0, 0);
    };
  };

  // elements that are shown each in a row of its own
  const together = (setters) => [
    (values) => setters.forEach(([show]) => show(values)),
    (values) => {
      setters.forEach(([, compare]) => compare(values));
      by("given").hidden = !values;
    },
  ];

  // one function a kind: builds a picture in `place` and returns how to show elements in it, and how to show an
  // observation beside them, or none
  const kinds = {
    images(place) {
      const showOriginal = canvas(by("original"));
      const compare = (values) => {
        by("beside").hidden = !values;
        if (values) showOriginal(values);
      };
      return [canvas(place), compare];
    },
    series(place) {
      place.style.setProperty("--lanes", data.lanes.length);
      const length = data.shape[data.shape.length - 1];
      const setters = data.lanes.map(([name, low, high], k) => {
        if (name) make("div", "lane", place).textContent = name;
        const picture = make("svg", name ? "curve low" : "curve", place, true);
        const range = high - low || 1;
        picture.setAttribute("viewBox", "0 -4 " + Math.max(length - 1, 1) + " 108");
        picture.setAttribute("preserveAspectRatio", "none");
        const given = make("polyline", "given", picture, true);
        const line = make("polyline", "", picture, true);
        const put = (curve, values) => {
          const points = [];
          for (let i = 0; values && i < length; i++)
            points.push(i + "," + (100 * (1 - (values[k * length + i] - low) / range)).toFixed(2));
          curve.setAttribute("points", points.join(" "));
        };
        return [(values) => put(line, values), (values) => put(given, values)];
      });
      return together(setters);
    },
    table(place) {
      const first = new Set(data.most);
      const numbers = data.features.length - data.categories; // categories come last
      const every = [];
      let now = null, pressed = null;
      if (first.size < data.features.length) {
        const search = make("input", "search", place);
        search.type = "search";
        search.placeholder = search.ariaLabel = "find one of " + data.features.length.toLocaleString("en") + " columns";
        search.addEventListener("input", () => {
          const wanted = search.value.trim().toLowerCase();
          every.forEach(({ row, name, show, compare }, i) => {
            row.hidden = wanted ? !name.toLowerCase().includes(wanted) : !first.has(i);
            if (!row.hidden && now) show(now);
            if (!row.hidden) compare(pressed);
          });
        });
      }
      data.features.forEach(([name, mean, deviation, scale, shift], i) => {
        const row = make("div", "feature", place);
        row.hidden = !first.has(i);
        const called = make("span", "name", row);
        // a name without spaces ends its lines behind what stands for them
        for (const part of name.match(/[^_./:]+[_./:]*|[_./:]+/g) || []) called.append(part, document.createElement("wbr"));
        const track = make("span", "bar", row);
        const bar = make("i", "", track);
        const mark = make("b", "", track);
        const value = make("span", "number", row);
        const given = make("span", "number given", row);
        // a decoder's share of a category may lie a little below 0 or above 1
        const said = (x) => i < numbers ? plain(x * scale + shift) : Math.round(100 * Math.max(0, Math.min(1, x))) + "\u00a0%";
        const share = (x) => Math.max(-1, Math.min(1, (x - mean) / (deviation || 1) / 3)); // full at three deviations
        const show = (values) => {
          const part = share(values[i]);
          bar.style.left = 50 + 50 * Math.min(part, 0) + "%";
          bar.style.width = 50 * Math.abs(part) + "%";
          bar.className = part < 0 ? "below" : "";
          value.textContent = said(values[i]);
        };
        const compare = (values) => {
          const known = values && Number.isFinite(values[i]); // else there is none, or the cell is missing
          mark.hidden = !known;
          if (known) mark.style.left = 50 + 50 * share(values[i]) + "%";
          given.textContent = known ? said(values[i]) : values ? "\u2014" : "";
        };
        every.push({ row, name, show, compare });
      });
      const seen = (what) => every.filter(({ row }) => !row.hidden).forEach(what);
      return [
        (values) => { now = values; seen(({ show }) => show(values)); },
        (values) => { pressed = values; seen(({ compare }) => compare(values)); by("given").hidden = !values; },
      ];
    },
  };
  const [showDecoded, compare] = kinds[data.kind](by("decoded"));

  let waiting = false;
  let like = null; // the observation whose given elements are decoded with
  const draw = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      showDecoded(decode(codes, like));
    });
  };

  const setters = data.latents.map((latent) => {
    const row = make("label", "dial" + (latent.dead ? " dead" : ""), by(latent.dead ? "dead-dials" : "dials"));
    make("b", "", row).textContent = latent.name;
    const range = make("input", "", row);
    Object.assign(range, { type: "range", min: latent.low, max: latent.high, step: "any" });
    const output = make("output", "", row);
    const near = (value) => (a, b) => (Math.abs(b - value) < Math.abs(a - value) ? b : a);
    const set = (asked) => {
      const value = latent.levels ? latent.levels.reduce(near(asked)) : asked;
      codes[latent.index] = value;
      range.value = value;
      output.textContent = signed(value, latent.high - latent.low);
      range.setAttribute("aria-valuetext", output.textContent);
    };
    range.addEventListener("input", () => {
      set(Number(range.value));
      draw();
    });
    return set;
  });
  const setAll = (wanted) => {
    wanted.forEach((value, i) => (codes[i] = value)); // those without a slider, too
    data.latents.forEach((latent, row) => setters[row](wanted[latent.index]));
    draw();
  };

  const choose = (button, elements) => {
    by("presets").querySelectorAll("button").forEach((each) => each.setAttribute("aria-pressed", each === button));
    compare(elements);
    like = elements;
  };
  const preset = (text, act) => {
    const button = make("button", "", by("presets"));
    button.type = "button";
    button.textContent = text;
    button.addEventListener("click", () => act(button));
    return button;
  };
  const middle = preset("middle", (button) => {
    choose(button, null);
    setAll(data.base);
  });
  preset("at random", (button) => {
    choose(button, null);
    const wanted = data.base.slice();
    for (const each of data.latents) wanted[each.index] = each.low + Math.random() * (each.high - each.low);
    setAll(wanted);
  });
  data.codes.forEach((wanted, i) =>
    preset(data.names[i], (button) => {
      choose(button, originals.subarray(i * size, (i + 1) * size));
      setAll(wanted);
    })
  );

  // …/report.html#codes=0.5,-1,… opens the page at these codes, z0 first
  const asked = decodeURIComponent(location.hash).match(/^#codes=([-+.,e\d]+)$/);
  const given = asked ? asked[1].split(",").map(Number) : [];
  middle.click();
  if (given.length === codes.length && given.every(Number.isFinite)) {
    choose(null, null);
    setAll(given);
    by("explore").scrollIntoView();
  }
})();
