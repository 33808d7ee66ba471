// The host of a file: everything is in the page, the trace as base64; the link leads back to the app.

const bytes = Uint8Array.from(atob(document.getElementById("payload").textContent.trim()), (one) => one.charCodeAt(0));
const link = document.querySelector("a[data-view]");

/** The link back, at a token and a unit. */
function linked(t, unit) {
  const address = new URL(link.href);
  address.searchParams.set("t", t + 1);
  address.searchParams.set("unit", unit);
  return address;
}

let maps = null;
const one = standAlone(document.getElementById("microscope"), bytes, {
  everywhere: true,
  address: link && linked,
  shown: (t, unit) => maps?.show(t, unit),
});
maps = new Maps(document.getElementById("maps"), one.trace, (t, unit) => {
  one.choose(unit);
  one.go(t);
});
maps.show(one.state.t, one.state.unit);
