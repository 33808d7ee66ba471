// The host of a page of the app: the address bar holds token, unit and signal, and Python is asked for clamps. A
// lecturer's class hears of every token (`lstm-lab-shown`), and a student's microscope goes where it says
// (`lstm-lab-cursor`); see assets/classroom/class.js.

const microscopes = new WeakMap();

/** Puts a token, a unit and a signal into the address bar, and returns the address. */
function moveAddress(t, unit, signal) {
  const address = new URL(window.location.href);
  for (const [name, value] of Object.entries({ t: t + 1, unit, signal })) address.searchParams.set(name, value);
  window.history.replaceState(window.history.state, "", address);
  return address;
}

/** Goes to a token from 1, a unit and a signal, as a link names them. */
function goTo(one, { t, unit, signal }) {
  if (!one.trace) return;
  const { state, trace } = one;
  const [token, row] = [Number(t) - 1, Number(unit)];
  if (trace.palette.some(({ letter }) => letter === signal)) state.signal = signal;
  if (Number.isInteger(row) && row >= 0 && row < trace.units) state.unit = row;
  one.paintUnit();
  one.go(Number.isInteger(token) ? token : state.t);
}

// Streamlit calls this on mounting and whenever the data or the theme change.
export default function microscope({ data, parentElement, setTriggerValue }) {
  let one = microscopes.get(parentElement);
  if (!one?.root.isConnected) {
    const clamp = (letter, value) => setTriggerValue("clamp", { letter, value });
    const shown = (t, unit, signal) =>
      window.dispatchEvent(new CustomEvent("lstm-lab-shown", { detail: { t, unit, signal } }));
    const host = { clamp, shown, moved: moveAddress, address: moveAddress, everywhere: true };
    microscopes.set(parentElement, (one = new Microscope(parentElement, host)));
    one.state.signal = new URLSearchParams(window.location.search).get("signal");
  }
  one.begin();
  if (data) one.load(data);
  const follow = ({ detail }) => goTo(one, detail);
  window.addEventListener("lstm-lab-cursor", follow);
  window.dispatchEvent(new Event("lstm-lab-microscope"));
  return () => {
    window.removeEventListener("lstm-lab-cursor", follow);
    one.end();
  };
}
