// Where the page begins: the form is drawn, and each change of it becomes a notebook.

import { setUpActions } from "./actions.js";
import { connect } from "./engine.js";
import { drawForm } from "./form.js";
import { drawCells, drawHeading } from "./preview.js";
import { readFragment, writeFragment } from "./state.js";

const find = (id) => document.getElementById(id);
const data = await (await fetch("form.json")).json();
export const ask = connect(data.engine);
const form = drawForm(data, readFragment(location.hash, data) ?? {}, changed);
const showActions = setUpActions(form);
let asking = false;
let waiting = false;
let answered = false;

find("made-with").hidden = data.engine !== "worker";
find("status").textContent =
  data.engine === "worker" ? "Loading Python, a few MB, once…" : "Making the preview…";
show(data.first);
setTimeout(() => {
  if (answered || find("status").classList.contains("bad")) return;
  find("status").textContent = "Python still loads: a slow line, or a browser too old for it.";
}, 60_000);
addEventListener("hashchange", () => {
  const state = readFragment(location.hash, data);
  if (!state) return;
  form.set(state);
  changed();
});
addEventListener("click", (event) => {
  // What stands behind the # is the state, so links within the page must not change it.
  const link = event.target.closest?.("a[href^='#']");
  if (!link) return;
  event.preventDefault();
  const target = find(link.hash.slice(1));
  target?.scrollIntoView();
  target?.focus();
});
changed();

// Ask for one answer at a time; what changes meanwhile is asked for after it.
async function changed() {
  performance.mark("changed");
  waiting = true;
  delete document.body.dataset.settled;
  if (asking) return;
  asking = true;
  while (waiting) {
    waiting = false;
    const state = form.state();
    writeFragment(state);
    try {
      const answer = await ask(state);
      if (waiting) continue;
      answered = true;
      show(answer);
      performance.measure("shown", "changed");
    } catch (error) {
      find("status").textContent = `The preview cannot be made: ${error.message}`;
      find("status").classList.add("bad");
      showActions({ ...data.first, errors: {} }, false); // what was made before is not this state's
    }
  }
  asking = false;
  document.body.dataset.settled = "";
}

function show(answer) {
  const errors = answered ? answer.errors : {};
  form.showErrors(errors);
  drawHeading(answer, form.state());
  drawCells(find("cells"), answer.cells, form.focused());
  showActions(answer, answered);
  if (!answered) return;
  const count = answer.cells.length;
  find("status").classList.remove("bad");
  find("status").textContent = `Ready: ${count} ${count === 1 ? "cell" : "cells"}`;
}
