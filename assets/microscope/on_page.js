// The host of a page of the app: the address bar holds token and unit, and Python is asked for clamps.

const microscopes = new WeakMap();

/** Puts a token and a unit into the address bar, and returns the address. */
function moveAddress(t, unit) {
  const address = new URL(window.location.href);
  address.searchParams.set("t", t + 1);
  address.searchParams.set("unit", unit);
  window.history.replaceState(window.history.state, "", address);
  return address;
}

// Streamlit calls this on mounting and whenever the data or the theme change.
export default function microscope({ data, parentElement, setTriggerValue }) {
  let one = microscopes.get(parentElement);
  if (!one?.root.isConnected) {
    const clamp = (letter, value) => setTriggerValue("clamp", { letter, value });
    const host = { clamp, moved: moveAddress, address: moveAddress, everywhere: true };
    microscopes.set(parentElement, (one = new Microscope(parentElement, host)));
  }
  one.begin();
  if (data) one.load(data);
  return () => one.end();
}
