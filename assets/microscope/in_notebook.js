// The host of a notebook: an anywidget whose `payload` is the packed trace. Keys count within it alone, and no address.

const bytesOf = (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

function render({ model, el }) {
  // The attribute keeps the shortcuts of JupyterLab away from the keys pressed inside.
  const place = html("div", { "data-lm-suppress-shortcuts": "true" }, el);
  const one = standAlone(place, bytesOf(model.get("payload")), {});
  const changed = () => one.load(bytesOf(model.get("payload")));
  model.on("change:payload", changed);
  return () => {
    model.off("change:payload", changed);
    one.end();
  };
}

export default { render };
