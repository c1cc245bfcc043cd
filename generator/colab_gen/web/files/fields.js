// The control for one form field, by its kind, with its label and a place for its error.

import { make } from "./dom.js";

// Return { row, get, set, showError }; the value is a text as typed, or true and false.
export function drawField(field, { id, label, hint, value, changed }) {
  const control = CONTROLS[field.kind] ?? drawText;
  const errorId = `error-${id}`;
  const hintId = hint ? `hint-${id}` : null;
  const about = { id, "aria-describedby": [hintId, errorId].filter(Boolean).join(" ") };
  const { element, get, set } = control(field, about, label);
  set(value ?? field.default);
  element.addEventListener("input", changed);
  const error = make("p", { class: "error", id: errorId, role: "alert", "aria-live": "polite" });
  error.hidden = true;
  const name = make("label", { for: id }, label);
  const ticked = field.kind === "boolean";
  const row = make(
    "div",
    { class: ticked ? "field tick" : "field" },
    ...(ticked ? [element, name] : [name, element]),
    hint ? make("p", { class: "hint", id: hintId }, hint) : null,
    error,
  );
  const showError = (text) => {
    // Writing the same again would make a screen reader say it again.
    if (error.textContent !== text) error.textContent = text;
    error.hidden = !text;
    const within = element.querySelectorAll("input:not([type='range']), textarea");
    for (const input of within.length ? within : [element]) {
      if (text) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    }
  };
  return { row, get, set, showError };
}

const CONTROLS = {
  boolean: drawTick,
  integer: (field, about) => drawNumber(field, { ...about, step: 1, inputmode: "numeric" }),
  number: (field, about) => drawNumber(field, { ...about, step: "any", inputmode: "decimal" }),
  slider: drawSlider,
  date: (field, about) => simple(make("input", { type: "date", ...about })),
  choice: (field, about) => (field.allow_input ? drawSuggestions : drawList)(field, about),
  text: drawText,
};

function simple(input, element = input) {
  return { element, get: () => input.value, set: (value) => (input.value = value) };
}

function drawText(field, about) {
  // An input drops line breaks; a value that has some, as one from a link may, gets an area.
  const attributes = { ...about, spellcheck: "false", placeholder: field.placeholder };
  const box = make("div", { class: "box" }, make("input", { type: "text", ...attributes }));
  const set = (value) => {
    const input = /[\r\n]/.test(value)
      ? make("textarea", attributes)
      : make("input", { type: "text", ...attributes });
    input.value = value;
    box.replaceChildren(input);
  };
  return { element: box, get: () => box.firstChild.value, set };
}

function drawNumber(field, about) {
  return simple(make("input", { type: "number", ...about }));
}

function drawTick(field, about) {
  const input = make("input", { type: "checkbox", ...about });
  const set = (value) => (input.checked = value === true || value === "true");
  return { element: input, get: () => input.checked, set };
}

// A slider, and the number it stands for, which can be typed as well.
function drawSlider(field, about, label) {
  const limits = { min: field.minimum, max: field.maximum, step: field.step ?? "any" };
  const range = make("input", { type: "range", ...limits, "aria-label": `${label}, slider` });
  const number = make("input", { type: "number", ...limits, ...about });
  range.addEventListener("input", () => (number.value = range.value));
  number.addEventListener("input", () => (range.value = number.value));
  const set = (value) => (range.value = number.value = value);
  const element = make("div", { class: "slider" }, range, number);
  return { element, get: () => number.value, set };
}

function drawList(field, about) {
  const options = field.options.map((option) => make("option", { value: option }, option));
  const input = make("select", about, ...options);
  const set = (value) => {
    // A value from a link that is not in the list: shown, so that its error has a place.
    if (!field.options.includes(value)) input.append(make("option", { value }, value));
    input.value = value;
  };
  return { ...simple(input), set };
}

function drawSuggestions(field, about) {
  const list = `list-${about.id}`;
  const input = make("input", { type: "text", spellcheck: "false", list, ...about });
  const options = field.options.map((option) => make("option", { value: option }));
  const box = make("div", { class: "box" }, input, make("datalist", { id: list }, ...options));
  return simple(input, box);
}
