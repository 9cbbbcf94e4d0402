// What was chosen or typed before htmx listened (a slow connection, a form the browser filled in again
// after a reload) counts as done now. Loads before htmx, so that no field is missed.
const shown = (field) =>
  field instanceof HTMLSelectElement
    ? (field.querySelector("option[selected]") ?? field.options[0])?.value
    : field.defaultValue;

document.addEventListener("htmx:after:init", ({ target }) => {
  for (const field of target.elements ?? [target]) {
    const kind = { "select-one": "change", search: "input" }[field.type];
    if (kind && field.value !== shown(field)) field.dispatchEvent(new Event(kind, { bubbles: true }));
  }
});
