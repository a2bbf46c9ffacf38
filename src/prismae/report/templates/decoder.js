// The decoder, evaluated in the page. `spec` has layers as decoder.json describes them, and their arrays as float16.
// decode(codes) returns the elements of the expected observation, in the order of PyTorch's memory; decode(codes, like)
// with what is given of an observation of these elements, where something is.
function prismaeHalves(text) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const bits = new Uint16Array(bytes.buffer);
  const floats = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) {
    const sign = bits[i] & 0x8000 ? -1 : 1;
    const exponent = (bits[i] >> 10) & 31;
    const fraction = bits[i] & 1023;
    floats[i] = sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24);
  }
  return floats;
}

function prismaeDecoder(spec) {
  const data = prismaeHalves(spec.data);
  const array = (place) => data.subarray(place[0], place[0] + place[1]);
  const pointwise = (f) => () => (x) => ({ shape: x.shape, values: x.values.map(f) });
  const kinds = {
    relu: pointwise((v) => (v > 0 ? v : 0)),
    selu: pointwise((v) => 1.0507009873554805 * (v > 0 ? v : 1.6732632423543772 * Math.expm1(v))),
    tanh: pointwise(Math.tanh),
    sigmoid: pointwise((v) => 1 / (1 + Math.exp(-v))),
    columns: (layer) => (x) => {
      const values = Float32Array.from(x.values, (v, i) => {
        if (i >= layer.sorts.length) return v;
        const least = Math.min(Math.max(v, -layer.most), layer.most);
        const own = { c: () => (layer.rate ?? layer.shift)[i] * Math.exp(least), t: () => 1 / (1 + Math.exp(-v)), n: () => v };
        return (own[layer.sorts[i]]() - layer.shift[i]) / layer.scale[i];
      });
      let start = layer.sorts.length;
      for (const width of layer.widths) {
        const some = x.values.slice(start, start + width);
        const most = Math.max(...some);
        const shares = some.map((v) => Math.exp(v - most));
        const whole = shares.reduce((a, b) => a + b, 0);
        shares.forEach((share, i) => (values[start + i] = (share / whole - layer.mean) / layer.std));
        start += width;
      }
      return { shape: x.shape, values };
    },
    affine: (layer) => pointwise((v) => v * layer.scale + layer.shift)(),
    beside: (layer) => (x, like) => {
      const told = layer.places.map((place, i) => ((like ? like[place] : layer.values[i]) - layer.means[i]) / layer.stds[i]);
      return { shape: x.shape, values: Float32Array.from([...x.values, ...told]) };
    },
    put: (layer) => (x, like) => {
      layer.places.forEach((place, i) => (x.values[place] = like ? like[place] : layer.values[i]));
      return x;
    },
    reshape: (layer) => (x) => ({ shape: layer.shape, values: x.values }),

    linear(layer) {
      const [outs, ins] = layer.size;
      const weight = array(layer.weight);
      const bias = layer.bias && array(layer.bias);
      return (x) => {
        const values = new Float32Array(outs);
        for (let o = 0; o < outs; o++) {
          let sum = bias ? bias[o] : 0;
          for (let i = 0, w = o * ins; i < ins; i++, w++) sum += weight[w] * x.values[i];
          values[o] = sum;
        }
        return { shape: [outs], values };
      };
    },

    // a series is an image of one row
    "conv-transpose"(layer) {
      const two = (list, least) => (list.length === 1 ? [least, list[0]] : list);
      const [ins, outs] = layer.size;
      const [kh, kw] = two(layer.size.slice(2), 1);
      const [sh, sw] = two(layer.stride, 1);
      const [ph, pw] = two(layer.padding, 0);
      const [eh, ew] = two(layer.output_padding, 0);
      const weight = array(layer.weight);
      const bias = layer.bias && array(layer.bias);
      return (x) => {
        const [h, w] = two(x.shape.slice(1), 1);
        const height = (h - 1) * sh - 2 * ph + kh + eh;
        const width = (w - 1) * sw - 2 * pw + kw + ew;
        const values = new Float32Array(outs * height * width);
        if (bias) for (let o = 0; o < outs; o++) values.fill(bias[o], o * height * width, (o + 1) * height * width);
        for (let i = 0; i < ins; i++)
          for (let y = 0; y < h; y++)
            for (let z = 0; z < w; z++) {
              const value = x.values[(i * h + y) * w + z];
              if (value === 0) continue; // most are, behind a ReLU
              for (let o = 0; o < outs; o++)
                for (let a = 0; a < kh; a++) {
                  const row = y * sh - ph + a;
                  if (row < 0 || row >= height) continue;
                  const kernel = ((i * outs + o) * kh + a) * kw;
                  const line = (o * height + row) * width;
                  for (let b = 0; b < kw; b++) {
                    const column = z * sw - pw + b;
                    if (column >= 0 && column < width) values[line + column] += value * weight[kernel + b];
                  }
                }
            }
        return { shape: layer.size.length === 3 ? [outs, width] : [outs, height, width], values };
      };
    },
  };
  const layers = spec.layers.map((layer) => kinds[layer.kind](layer));
  return (codes, like) =>
    layers.reduce((x, layer) => layer(x, like), { shape: [codes.length], values: Float32Array.from(codes) }).values;
}
