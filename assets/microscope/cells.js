// What each kind of cell computes, step by step: names, formulas, terms and a short description.
// `values` returns every number of one unit at one timestep; a term is [name of a value, its label].

const GATE_TERMS = (letter) => [
  ["text", `${{ g: "tanh" }[letter] ?? "σ"} (`], [`wx_${letter}`, "W·x + b"], ["text", "+"], [`uh_${letter}`, "U·h"],
  ["text", ") ="], ["text", `${{ g: "tanh" }[letter] ?? "σ"} (`], [`sum_${letter}`, "sum"], ["text", ") ="], [letter, letter],
];

/** Sums and signals; `computed` is what an equation gives, whether or not a clamp replaces it, `clamped` the clamps. */
function sums(trace, t, unit, letters) {
  const values = { computed: {}, clamped: {} };
  for (const { letter } of trace.palette) values.clamped[letter] = trace.clampedTo(letter, t, unit);
  for (const letter of letters) {
    const n = t * trace.units + unit;
    values[`wx_${letter}`] = trace.inputSums[letter][n];
    values[`uh_${letter}`] = trace.recurrentSums[letter][n];
    values[`sum_${letter}`] = values[`wx_${letter}`] + values[`uh_${letter}`];
    values[letter] = trace.signals[letter][n];
    values.computed[letter] = trace.plain
      ? (letter === "g" || letter === "h" ? Math.tanh : sigmoid)(values[`sum_${letter}`])
      : (trace.computed[letter]?.[n] ?? values[letter]);
  }
  return values;
}

const CELLS = {
  lstm: {
    title: "LSTM cell",
    values(trace, t, unit) {
      const values = sums(trace, t, unit, ["f", "i", "g", "o"]);
      values.c0 = trace.previous("c", t, unit);
      values.h0 = trace.previous("h", t, unit);
      values.kept = values.f * values.c0;
      values.written = values.i * values.g;
      values.c = trace.at("c", t, unit);
      values.tanh_c = trace.plain ? Math.tanh(values.c) : trace.computed.tanh_c[t * trace.units + unit];
      [, values.squash] = trace.functions;
      values.computed.c = values.kept + values.written;
      values.computed.h = values.o * values.tanh_c;
      values.h = trace.at("h", t, unit);
      return values;
    },
    steps: [
      { letter: "f", name: "Forget gate", formula: "f = σ(W·x + b + U·h)", terms: GATE_TERMS("f"),
        describe: (v) => `keeps ${percent(v.f)} of the old cell state` },
      { letter: "i", name: "Input gate", formula: "i = σ(W·x + b + U·h)", terms: GATE_TERMS("i"),
        describe: (v) => `adds ${percent(v.i)} of the candidate` },
      { letter: "g", name: "Candidate", formula: "g = tanh(W·x + b + U·h)", terms: GATE_TERMS("g"),
        describe: (v) => `the new value is ${shown(v.g)}` },
      { letter: "c", name: "Cell state", formula: "c_{t} = f ⊙ c_{t−1} + i ⊙ g", terms: [
          ["f", "f"], ["text", "×"], ["c0", "c_{t−1}"], ["text", "+"], ["i", "i"], ["text", "×"], ["g", "g"],
          ["text", "="], ["kept", "f ⊙ c"], ["text", "+"], ["written", "i ⊙ g"], ["text", "="], ["c", "c_{t}"]],
        describe: (v) => `cell state: from ${shown(v.c0)} to ${shown(v.c)}` },
      { letter: "o", name: "Output gate", formula: "o = σ(W·x + b + U·h)", terms: GATE_TERMS("o"),
        describe: (v) => `outputs ${percent(v.o)} of ${v.squash} c` },
      { letter: "h", name: "Hidden state", formula: "h_{t} = o ⊙ tanh c_{t}", terms: [
          ["o", "o"], ["text", "× tanh ("], ["c", "c_{t}"], ["text", ") ="], ["o", "o"], ["text", "×"],
          ["tanh_c", "tanh c"], ["text", "="], ["h", "h_{t}"]],
        describe: (v) => `the unit outputs ${shown(v.h)}` },
    ],
  },
  gru: {
    title: "GRU cell",
    values(trace, t, unit) {
      const values = sums(trace, t, unit, ["z", "r", "g"]);
      values.h0 = trace.previous("h", t, unit);
      if (trace.resetAfter) {
        values.seen_g = values.r * values.uh_g;
        values.sum_g = values.wx_g + values.seen_g;
        if (trace.plain) values.computed.g = Math.tanh(values.sum_g);
      }
      values.rest = 1 - values.z;
      values.kept = values.z * values.h0;
      values.written = values.rest * values.g;
      values.computed.h = values.kept + values.written;
      values.h = trace.at("h", t, unit);
      return values;
    },
    steps: [
      { letter: "z", name: "Update gate", formula: "z = σ(W·x + b + U·h)", terms: GATE_TERMS("z"),
        describe: (v) => `keeps ${percent(v.z)} of the old hidden state` },
      { letter: "r", name: "Reset gate", formula: "r = σ(W·x + b + U·h)", terms: GATE_TERMS("r"),
        describe: (v) => `${percent(v.r)} of the old hidden state enters the candidate` },
      { letter: "g", name: "Candidate", formula: "g = tanh(W·x + b + U·(r ⊙ h))", terms: GATE_TERMS("g"),
        describe: (v) => `the new value is ${shown(v.g)}` },
      { letter: "h", name: "Hidden state", formula: "h_{t} = z ⊙ h_{t−1} + (1 − z) ⊙ g", terms: [
          ["z", "z"], ["text", "×"], ["h0", "h_{t−1}"], ["text", "+"], ["rest", "1 − z"], ["text", "×"], ["g", "g"],
          ["text", "="], ["kept", "z ⊙ h"], ["text", "+"], ["written", "(1 − z) ⊙ g"], ["text", "="], ["h", "h_{t}"]],
        describe: (v) => `hidden state: from ${shown(v.h0)} to ${shown(v.h)}` },
    ],
  },
  rnn: {
    title: "plain RNN cell",
    values(trace, t, unit) {
      return { ...sums(trace, t, unit, ["h"]), h0: trace.previous("h", t, unit) };
    },
    steps: [
      { letter: "x", name: "Sum", formula: "sum = W·x + b + U·h", terms: [
          ["wx_h", "W·x + b"], ["text", "+"], ["uh_h", "U·h"], ["text", "="], ["sum_h", "sum"]],
        describe: (v) => `input ${shown(v.wx_h)}, recurrent ${shown(v.uh_h)}` },
      { letter: "h", name: "Hidden state", formula: "h_{t} = tanh(sum)", terms: [
          ["text", "tanh ("], ["sum_h", "sum"], ["text", ") ="], ["h", "h_{t}"]],
        describe: (v) => `hidden state: from ${shown(v.h0)} to ${shown(v.h)}` },
    ],
  },
};

// Keras's GRU (reset_after) multiplies U·h by the reset gate after the matrix product.
const CANDIDATE_RESET_AFTER = {
  letter: "g", name: "Candidate", formula: "g = tanh(W·x + b + r ⊙ U·h)", terms: [
    ["text", "tanh ("], ["wx_g", "W·x + b"], ["text", "+"], ["r", "r"], ["text", "×"], ["uh_g", "U·h"],
    ["text", ") = tanh ("], ["sum_g", "sum"], ["text", ") ="], ["g", "g"]],
  describe: (v) => `the new value is ${shown(v.g)}`,
};

/** The cell of a trace, with its steps, in which the activations have their names. */
function cellOf(trace) {
  const cell = CELLS[trace.kind];
  const after = trace.kind === "gru" && trace.resetAfter;
  const steps = cell.steps.map((step) => (after && step.letter === "g" ? CANDIDATE_RESET_AFTER : step));
  return {
    ...cell,
    steps: steps.map((step) => ({
      ...step,
      formula: named(step.formula, trace.functions),
      terms: step.terms.map(([name, label]) => [name, named(label, trace.functions)]),
    })),
  };
}
