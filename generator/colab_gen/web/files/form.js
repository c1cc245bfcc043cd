// The form: what the notebook is called and runs on, its features, and the fields of these.

import { make } from "./dom.js";
import { drawField } from "./fields.js";

const find = (id) => document.getElementById(id);

// Draw it, filled with the state; `changed` is called after each change.
// Return { state, set, showErrors, focused }.
export function drawForm(data, start, changed) {
  const about = drawAbout(data, changed);
  const features = drawFeatures(data, changed);
  const set = (state) => {
    about.set(state);
    features.set(state);
  };
  set(start);
  return {
    set,
    state: () => ({ ...about.state(), ...features.state() }),
    focused: () => document.activeElement?.closest?.(".feature")?.dataset.name,
    showErrors: (errors) => {
      about.showErrors(errors);
      features.showErrors(errors);
      const general = errors.state ?? (features.state().features.length ? errors.features : "");
      find("error-features").textContent = general ?? "";
      find("error-features").hidden = !general;
    },
  };
}

function drawAbout(data, changed) {
  const text = (name, label, more = {}) => ({ kind: "text", name, label, default: "", ...more });
  const described = [
    text("title", "Title", { default: data.title }),
    { kind: "accelerator", name: "accelerator", label: "Runs on", default: "" },
    {
      kind: "boolean", name: "high_ram", label: "High-RAM", default: false,
      hint: "For accounts that pay for compute units.",
    },
    text("repository", "GitHub repository", {
      placeholder: "owner/name", hint: "Puts a badge into the notebook that opens it in Colab.",
    }),
    text("branch", "Branch", { placeholder: data.branch }),
    text("file", "Path there", { placeholder: "made from the title", hint: "Ends in .ipynb." }),
  ];
  const fields = new Map();
  for (const field of described) {
    const kind = field.kind === "accelerator" ? "choice" : field.kind;
    const options = { ...field, kind, options: ["", ...data.gpus, ...data.tpus] };
    const drawn = drawField(options, { id: `about.${field.name}`, changed, ...field });
    fields.set(field.name, { ...field, ...drawn });
  }
  nameAccelerators(fields.get("accelerator").row.querySelector("select"), data);
  const rows = ["title", "accelerator", "high_ram"].map((name) => fields.get(name).row);
  const more = ["repository", "branch", "file"].map((name) => fields.get(name).row);
  const details = make("details", {}, make("summary", {}, "GitHub and file name"), ...more);
  find("about").replaceChildren(...rows, details);
  return {
    set: (state) => {
      for (const field of fields.values()) field.set(state[field.name] ?? field.default);
      details.open = Boolean(state.repository || state.file || state.branch);
    },
    state: () => {
      const given = [...fields.values()].map((field) => [field.name, field.get()]);
      // Without a title something is wrong; without the others they are left out.
      return Object.fromEntries(given.filter(([name, value]) => value || name === "title"));
    },
    showErrors: (errors) => {
      for (const field of fields.values()) field.showError(errors[field.name] ?? "");
      if (["repository", "branch", "file"].some((name) => errors[name])) details.open = true;
    },
  };
}

function nameAccelerators(select, data) {
  const [none, ...options] = select.options;
  none.textContent = "CPU only";
  const group = (label, names) =>
    make("optgroup", { label }, ...options.filter((option) => names.includes(option.value)));
  select.replaceChildren(none, group("GPU", data.gpus), group("TPU", data.tpus));
}

function drawFeatures(data, changed) {
  const features = new Map(data.features.map((feature) => [feature.name, feature]));
  const cards = new Map();
  let wanted = new Set();

  const refresh = () => {
    const chosen = withRequired(features, wanted);
    for (const [name, card] of cards) card.show(chosen.has(name), reason(features, wanted, name));
  };
  const update = () => {
    refresh();
    changed();
  };
  for (const feature of data.features) {
    const card = drawCard(feature, changed);
    cards.set(feature.name, card);
    card.tick.addEventListener("change", () => {
      if (card.tick.checked) wanted.add(feature.name);
      else wanted.delete(feature.name);
      update();
    });
  }
  const sections = data.sections.map((section) => {
    const inside = data.features.filter((feature) => feature.section === section);
    if (!inside.length) return null;
    const found = inside.map((feature) => cards.get(feature.name).element);
    return make("div", { class: "section" }, make("h3", {}, section), ...found);
  });
  find("features").replaceChildren(...sections.filter(Boolean));
  find("all").addEventListener("click", () => {
    for (const name of features.keys()) {
      if (!reason(features, wanted, name).conflict) wanted.add(name);
    }
    update();
  });
  find("none").addEventListener("click", () => {
    wanted.clear();
    update();
  });

  return {
    set: (state) => {
      wanted = new Set(state.features ?? []);
      for (const card of cards.values()) card.set(state.values ?? {});
      refresh();
    },
    state: () => {
      const chosen = withRequired(features, wanted);
      const values = [...chosen].flatMap((name) => cards.get(name).values());
      return {
        features: [...features.keys()].filter((name) => wanted.has(name)),
        values: Object.fromEntries(values),
      };
    },
    showErrors: (errors) => {
      for (const card of cards.values()) card.showErrors(errors);
    },
  };
}

function drawCard(feature, changed) {
  const id = `feature-${feature.name}`;
  const note = make("p", { class: "note", id: `${id}-note` });
  const tick = make("input", {
    type: "checkbox", id, "aria-describedby": `${id}-summary ${id}-note`,
  });
  const fields = feature.parameters.map((parameter) => ({
    ...parameter,
    ...drawField(parameter, {
      id: `values.${parameter.name}`, label: parameter.name.replaceAll("_", " "), changed,
    }),
  }));
  const group = make(
    "div",
    { class: "fields", role: "group", "aria-label": `Fields of ${feature.title}` },
    ...fields.map((field) => field.row),
  );
  const element = make(
    "div",
    { class: "feature", "data-name": feature.name },
    tick,
    make("label", { for: id }, feature.title),
    make("p", { class: "summary", id: `${id}-summary` }, feature.summary),
    note,
    group,
  );
  return {
    element,
    tick,
    show: (chosen, { needed, conflict }) => {
      tick.checked = chosen;
      tick.disabled = Boolean(needed || conflict);
      element.classList.toggle("chosen", chosen);
      group.hidden = !chosen || !fields.length;
      note.textContent = needed || conflict || "";
      note.hidden = !note.textContent;
      note.classList.toggle("warn", Boolean(conflict));
    },
    set: (values) => {
      for (const field of fields) field.set(values[field.name] ?? field.default);
    },
    // Only what differs from the snippet's own value is part of a recipe.
    values: () =>
      fields
        .map((field) => [field.name, field.get(), field.default])
        .filter(([, value, usual]) => value !== usual),
    showErrors: (errors) => {
      for (const field of fields) field.showError(errors[`values.${field.name}`] ?? "");
    },
  };
}

function withRequired(features, names) {
  const chosen = new Set();
  const waiting = [...names];
  while (waiting.length) {
    const name = waiting.pop();
    if (chosen.has(name)) continue;
    chosen.add(name);
    waiting.push(...features.get(name).requires);
  }
  return chosen;
}

// Say why a feature's tick cannot be changed: others need it, or it cannot stand beside others.
function reason(features, wanted, name) {
  const titles = (names) => names.map((other) => `“${features.get(other).title}”`).join(" and ");
  const others = [...wanted].filter((other) => other !== name);
  const needing = others.filter((other) => withRequired(features, [other]).has(name));
  if (needing.length) return { needed: `Needed by ${titles(needing)}.` };
  if (wanted.has(name)) return {};
  const chosen = withRequired(features, wanted);
  const brought = [...withRequired(features, [name])];
  const against = [...chosen].filter((other) =>
    brought.some((own) => features.get(own).conflicts.includes(other)),
  );
  return against.length ? { conflict: `Cannot stand beside ${titles(against)}.` } : {};
}
