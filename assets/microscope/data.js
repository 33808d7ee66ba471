// Unpacks the payload from Python and computes the remaining signals; independent of the page.
// Layout of the bytes: `lstm_core/exhibit/payload.py`.

const sigmoid = (z) => 1 / (1 + Math.exp(-z));

/** Signed little-endian fixed-point numbers of 2 or 3 bytes as a Float64Array. */
function fixedPoint(bytes, { at, count, width, step }) {
  const values = new Float64Array(count);
  const spare = 8 * (4 - width); // bits above the number; shifting there and back extends its sign
  for (let n = 0, byte = at; n < count; n += 1, byte += width) {
    const high = width === 3 ? bytes[byte + 2] << 16 : 0;
    values[n] = (((high | (bytes[byte + 1] << 8) | bytes[byte]) << spare) >> spare) * step;
  }
  return values;
}

/** The payload as a trace: header, and `signals`, `inputSums`, `recurrentSums`, `before` by letter. */
function unpack(data) {
  const bytes = data instanceof Uint8Array ? data : new Uint8Array(data);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  const body = bytes.subarray(4 + length);
  const groups = { signals: {}, inputSums: {}, recurrentSums: {}, before: {}, initial: {}, computed: {} };
  for (const array of header.arrays) {
    groups[array.group][array.letter] = fixedPoint(body, array);
  }
  const trace = { ...header, ...groups, length: header.tokens.length };
  trace.plain = trace.functions[0] === "σ" && trace.functions[1] === "tanh"; // else all signals are in the payload
  derive(trace);
  return trace;
}

/** A text in which σ and tanh are replaced by the layer's own activations. */
function named(text, [gate, state]) {
  return text.replace(/σ|tanh/g, (name) => (name === "σ" ? gate : state));
}

/** Computes each signal that follows from the sums. A clamped signal is part of the payload. */
function derive(trace) {
  const { kind, signals, inputSums, recurrentSums, units } = trace;
  const squash = (letter, activation, reset) => {
    if (signals[letter]) return;
    const wx = inputSums[letter];
    const uh = recurrentSums[letter];
    signals[letter] = wx.map((value, n) => activation(value + (reset ? reset[n] * uh[n] : uh[n])));
  };
  if (kind === "lstm") {
    squash("f", sigmoid);
    squash("i", sigmoid);
    squash("g", Math.tanh);
    squash("o", sigmoid);
    signals.h ??= signals.c.map((value, n) => signals.o[n] * Math.tanh(value));
  } else if (kind === "gru") {
    squash("z", sigmoid);
    squash("r", sigmoid);
    squash("g", Math.tanh, trace.resetAfter ? signals.r : null);
  } else {
    squash("h", Math.tanh);
  }
  trace.reach = {};
  for (const { letter, gate } of trace.palette) {
    let most = 1e-6;
    for (const value of signals[letter]) most = Math.max(most, Math.abs(value));
    trace.reach[letter] = gate ? 1 : most;
  }
  trace.at = (letter, t, unit) => signals[letter][t * units + unit];
  trace.previous = (letter, t, unit) =>
    t > 0 ? signals[letter][(t - 1) * units + unit] : (trace.initial[letter]?.[unit] ?? 0);
  // The value to which a signal is clamped, else undefined; of several clamps the last one applies.
  trace.clampedTo = (letter, t, unit) =>
    trace.clamps.findLast((clamp) => clamp.letter === letter && (clamp.rows?.includes(t) ?? true)
      && (clamp.units?.includes(unit) ?? true))?.value;
}

/** A number for display: three decimals, a minus sign (−), never "−0.000". */
function shown(value) {
  const text = value.toFixed(3);
  if (Number(text) === 0) return "0.000";
  return text.replace("-", "−");
}

const percent = (value) => `${Math.round(100 * value)}%`;

/** A token for display: control characters as their symbols, a space as an open box. */
function visible(token) {
  if (token === "") return "∅";
  return token
    .replace(/\n/g, "↵")
    .replace(/^ +$/, (spaces) => "␣".repeat(spaces.length))
    .replace(/[\u0000-\u001f]/g, (sign) => String.fromCharCode(0x2400 + sign.charCodeAt(0)));
}
