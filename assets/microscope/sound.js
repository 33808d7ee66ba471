// The chosen signal as tones, one for each token that is shown: the larger the value, the higher the tone.

const LOWEST_HZ = 220; // of the smallest value
const OCTAVES = 2; // between the smallest value and the largest
const TONE_S = 0.25;

class Sound {
  /** `changed()` is called when it is switched on or off. */
  constructor(changed) {
    const title = "A tone for each token: the larger the chosen signal of this unit, the higher the tone";
    this.button = html("button", { type: "button", class: "plain sound", "aria-pressed": "false", title }, null, "Sound");
    this.button.addEventListener("click", () => {
      this.on = !this.on;
      this.button.setAttribute("aria-pressed", String(this.on));
      this.context ??= new AudioContext(); // browsers allow it after a click only
      this.last = null;
      changed();
    });
  }

  /** Plays a value as its share, 0…1, of the signal's range; once, as long as `place` is the same. */
  play(share, place) {
    if (!this.on || place === this.last) return;
    this.last = place;
    const { currentTime, destination } = this.context;
    const tone = new OscillatorNode(this.context, { type: "triangle", frequency: LOWEST_HZ * 2 ** (OCTAVES * share) });
    const loudness = new GainNode(this.context, { gain: 0.2 });
    loudness.gain.setTargetAtTime(0, currentTime + TONE_S / 2, TONE_S / 8);
    tone.connect(loudness).connect(destination);
    tone.start();
    tone.stop(currentTime + TONE_S);
  }
}
