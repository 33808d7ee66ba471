// Coordinates of the three diagrams; nothing is drawn here.
// Each part names its step (from 0) and its signal, which sets its colour; "x" is the input.

const LSTM_PLACES = {
  size: [520, 546], cell: [14, 66, 494, 372], belt: 104, bus: 408, gate: 336, half: [31, 22], f: 84, i: 188, g: 292, o: 392,
  out: 470, cross: 208, shut: 232, tanh: 148, x: 238, token: 518, edge: 520, above: -28, below: 34,
  values: { c0: [48, 48], kept: [188, 104], f: [84, 276], i: [188, 276], g: [292, 276], written: [292, 157], c: [472, 48],
    tanh_c: [470, 190], o: [392, 276], h0: [48, 464], h: [472, 464] },
};

function lstmPlan() {
  const p = LSTM_PLACES;
  const top = p.gate - p.half[1];
  const at = p.values;
  const gate = (step, letter, x, label, name) => ({ step, letter, x, y: p.gate, half: p.half, label, name });
  const feed = (step, letter, x) => ({ step, letter, d: `M${x} ${p.bus}V${p.gate + p.half[1]}`, arrow: true });
  return {
    size: p.size, cell: p.cell, token: [p.x, p.token],
    wires: [
      { step: 3, letter: "c", d: `M0 ${p.belt}H${p.edge - 8}`, arrow: true, thick: true },
      { step: -1, letter: "h", d: `M0 ${p.bus}H${p.o}` },
      { step: -1, letter: "x", d: `M${p.x} ${p.token - 22}V${p.bus}`, arrow: true },
      feed(0, "f", p.f), feed(1, "i", p.i), feed(2, "g", p.g), feed(4, "o", p.o),
      { step: 0, letter: "f", d: `M${p.f} ${top}V${p.belt + 18}`, arrow: true },
      { step: 1, letter: "i", d: `M${p.i} ${top}V${p.cross}H${p.g - 18}`, arrow: true },
      { step: 2, letter: "g", d: `M${p.g} ${top}V${p.cross + 18}`, arrow: true },
      { step: 3, letter: "c", d: `M${p.g} ${p.cross - 18}V${p.belt + 18}`, arrow: true },
      { step: 4, letter: "o", d: `M${p.o} ${top}V${p.shut}H${p.out - 18}`, arrow: true },
      { step: 5, letter: "h", d: `M${p.out} ${p.belt}V${p.shut - 18}`, arrow: true },
      { step: 5, letter: "h", d: `M${p.out} ${p.shut + 18}V${p.bus}H${p.edge - 8}`, arrow: true },
    ],
    gates: [
      gate(0, "f", p.f, "σ", "forget"), gate(1, "i", p.i, "σ", "input"), gate(2, "g", p.g, "tanh", "candidate"),
      gate(4, "o", p.o, "σ", "output"),
      { step: 5, letter: "h", x: p.out, y: p.tanh, half: [34, 17], label: "tanh", value: "tanh_c", round: true },
    ],
    signs: [
      { step: 3, letter: "c", x: p.f, y: p.belt, label: "×" }, { step: 3, letter: "c", x: p.g, y: p.belt, label: "+" },
      { step: 3, letter: "c", x: p.g, y: p.cross, label: "×" }, { step: 5, letter: "h", x: p.out, y: p.shut, label: "×" },
    ],
    values: [
      { step: -1, letter: "c", value: "c0", at: at.c0, label: "c_{t−1}", dy: p.above },
      { step: 0, letter: "f", value: "f", at: at.f, label: "f", side: "left" },
      { step: 1, letter: "i", value: "i", at: at.i, label: "i", side: "left" },
      { step: 2, letter: "g", value: "g", at: at.g, label: "g", side: "left" },
      { step: 3, letter: "c", value: "kept", at: at.kept, label: "f ⊙ c", dy: p.above },
      { step: 3, letter: "c", value: "written", at: at.written, label: "i ⊙ g", side: "right" },
      { step: 3, letter: "c", value: "c", at: at.c, label: "c_{t}", dy: p.above },
      { step: 4, letter: "o", value: "o", at: at.o, label: "o", side: "left" },
      { step: 5, letter: "h", value: "tanh_c", at: at.tanh_c, label: "" },
      { step: -1, letter: "h", value: "h0", at: at.h0, label: "h_{t−1}", dy: p.below },
      { step: 5, letter: "h", value: "h", at: at.h, label: "h_{t}", dy: p.below },
    ],
  };
}

const GRU_PLACES = {
  size: [480, 512], cell: [14, 66, 452, 372], belt: 104, bus: 408, gate: 336, half: [29, 22], down: 30, z: 96, r: 206,
  seen: 280, g: 356, cross: 208, minus: 150, x: 160, token: 484, edge: 480, above: -28,
  values: { h0: [48, 48], kept: [226, 104], z: [96, 276], r: [206, 276], g: [356, 276], rest: [236, 208],
    written: [356, 157], h: [432, 48] },
};

function gruPlan() {
  const p = GRU_PLACES;
  const top = p.gate - p.half[1];
  const at = p.values;
  const gate = (step, letter, x, label, name) => ({ step, letter, x, y: p.gate, half: p.half, label, name });
  const feed = (step, letter, x) => ({ step, letter, d: `M${x} ${p.bus}V${p.gate + p.half[1]}`, arrow: true });
  return {
    size: p.size, cell: p.cell, token: [p.x, p.token],
    wires: [
      { step: 3, letter: "h", d: `M0 ${p.belt}H${p.edge - 8}`, arrow: true, thick: true },
      { step: -1, letter: "h", d: `M${p.down} ${p.belt}V${p.bus}H${p.g}` },
      { step: -1, letter: "x", d: `M${p.x} ${p.token - 22}V${p.bus}`, arrow: true },
      feed(0, "z", p.z), feed(1, "r", p.r), feed(2, "g", p.g),
      { step: 2, letter: "h", d: `M${p.seen} ${p.bus}V${p.gate + 18}`, arrow: true },
      { step: 0, letter: "z", d: `M${p.z} ${top}V${p.belt + 18}`, arrow: true },
      { step: 3, letter: "z", d: `M${p.z} ${p.cross}H${p.g - 18}`, arrow: true },
      { step: 1, letter: "r", d: `M${p.r + p.half[0]} ${p.gate}H${p.seen - 18}`, arrow: true },
      { step: 2, letter: "g", d: `M${p.seen + 18} ${p.gate}H${p.g - p.half[0]}`, arrow: true },
      { step: 2, letter: "g", d: `M${p.g} ${top}V${p.cross + 18}`, arrow: true },
      { step: 3, letter: "h", d: `M${p.g} ${p.cross - 18}V${p.belt + 18}`, arrow: true },
    ],
    gates: [gate(0, "z", p.z, "σ", "update"), gate(1, "r", p.r, "σ", "reset"), gate(2, "g", p.g, "tanh", "candidate")],
    signs: [
      { step: 3, letter: "h", x: p.z, y: p.belt, label: "×" }, { step: 3, letter: "h", x: p.g, y: p.belt, label: "+" },
      { step: 3, letter: "h", x: p.g, y: p.cross, label: "×" }, { step: 3, letter: "z", x: p.minus, y: p.cross, label: "1−" },
      { step: 2, letter: "g", x: p.seen, y: p.gate, label: "×" },
    ],
    values: [
      { step: -1, letter: "h", value: "h0", at: at.h0, label: "h_{t−1}", dy: p.above },
      { step: 0, letter: "z", value: "z", at: at.z, label: "z", side: "left" },
      { step: 1, letter: "r", value: "r", at: at.r, label: "r", side: "left" },
      { step: 2, letter: "g", value: "g", at: at.g, label: "g", side: "left" },
      { step: 3, letter: "h", value: "kept", at: at.kept, label: "z ⊙ h", dy: p.above },
      { step: 3, letter: "z", value: "rest", at: at.rest, label: "1 − z", dy: -24 },
      { step: 3, letter: "h", value: "written", at: at.written, label: "(1 − z) ⊙ g", side: "left" },
      { step: 3, letter: "h", value: "h", at: at.h, label: "h_{t}", dy: p.above },
    ],
  };
}

const RNN_PLACES = {
  size: [480, 430], cell: [14, 66, 452, 264], line: 160, plus: 150, tanh: 312, half: [32, 24], token: 390, edge: 480,
  values: { h0: [48, 48], uh_h: [74, 160], wx_h: [150, 262], sum_h: [226, 160], h: [432, 48] },
};

function rnnPlan() {
  const p = RNN_PLACES;
  const at = p.values;
  return {
    size: p.size, cell: p.cell, token: [p.plus, p.token],
    wires: [
      { step: 0, letter: "h", d: `M0 ${p.line}H${p.plus - 18}`, arrow: true, thick: true },
      { step: 0, letter: "x", d: `M${p.plus} ${p.token - 22}V${p.line + 18}`, arrow: true },
      { step: 1, letter: "h", d: `M${p.plus + 18} ${p.line}H${p.tanh - p.half[0]}`, arrow: true },
      { step: 1, letter: "h", d: `M${p.tanh + p.half[0]} ${p.line}H${p.edge - 8}`, arrow: true, thick: true },
    ],
    gates: [{ step: 1, letter: "h", x: p.tanh, y: p.line, half: p.half, label: "tanh", name: "" }],
    signs: [{ step: 0, letter: "h", x: p.plus, y: p.line, label: "+" }],
    values: [
      { step: -1, letter: "h", value: "h0", at: at.h0, label: "h_{t−1}", dy: -28 },
      { step: 0, letter: "h", value: "uh_h", at: at.uh_h, label: "U·h", dy: -26 },
      { step: 0, letter: "x", value: "wx_h", at: at.wx_h, label: "W·x + b", side: "left" },
      { step: 1, letter: "h", value: "sum_h", at: at.sum_h, label: "sum", dy: -26 },
      { step: 1, letter: "h", value: "h", at: at.h, label: "h_{t}", dy: -28 },
    ],
  };
}

const PLANS = { lstm: lstmPlan, gru: gruPlan, rnn: rnnPlan };
