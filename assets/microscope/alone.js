// A microscope outside the app, in a shadow tree of its own, so that its styles and those around it don't meet.

/** `payload` is what Python packed, as a Uint8Array; `host` as the microscope takes it. */
function standAlone(parent, payload, host) {
  const tree = parent.attachShadow({ mode: "open" });
  html("style", {}, tree, STYLE);
  const one = new Microscope(html("div", { class: "alone" }, tree), host);
  one.begin();
  one.load(payload);
  return one;
}
