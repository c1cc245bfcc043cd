// The buttons: download, copy, share, open in Colab.

import { writeFragment } from "./state.js";

const find = (id) => document.getElementById(id);
const BUTTONS = ["download", "open", "command", "recipe", "share"];
let silence;

// Return a function that shows the buttons for an answer.
export function setUpActions(form) {
  let answer = null;
  find("download").addEventListener("click", () => {
    save(answer.name, answer.notebook);
    say(`Downloaded ${answer.name}`);
  });
  find("command").addEventListener("click", () => copy(answer.command, "The command is copied"));
  find("recipe").addEventListener("click", () => copy(answer.recipe, "The recipe is copied"));
  find("share").addEventListener("click", () => {
    if (writeFragment(form.state())) copy(location.href, "The link is copied: it holds all of this");
    else say("This is too much for a link; share the recipe or the notebook");
  });
  find("open").addEventListener("click", () => explain(answer, form.state()));
  find("first-fault").addEventListener("click", () => {
    const field = document.querySelector("[aria-invalid]");
    field?.focus();
    field?.scrollIntoView({ block: "center" });
  });
  return (given, ready) => {
    answer = given;
    const faults = ready ? Object.keys(given.errors).length : 0;
    for (const id of BUTTONS) find(id).disabled = !given.notebook;
    find("command-text").textContent = given.command;
    find("recipe-text").textContent = given.recipe;
    document.querySelector(".same").hidden = !given.notebook;
    showFaults(given.errors, faults);
  };
}

function showFaults(errors, count) {
  const empty = count === 1 && errors.features && !find("error-features").textContent;
  const text = empty
    ? "Tick a feature, and its cells appear here."
    : count === 1 ? "One thing needs another look." : `${count} things need another look.`;
  find("faults").hidden = count === 0;
  find("faults").classList.toggle("calm", Boolean(empty));
  find("first-fault").hidden = !document.querySelector("[aria-invalid]");
  if (find("faults-text").textContent !== text) find("faults-text").textContent = text;
}

function save(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "application/x-ipynb+json" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

async function copy(text, done) {
  try {
    await navigator.clipboard.writeText(text);
    say(done);
  } catch {
    say("The browser does not let this page copy; the text stands below the notebook");
    document.querySelector(".same").open = true;
  }
}

function say(text) {
  clearTimeout(silence);
  find("said").textContent = text;
  silence = setTimeout(() => (find("said").textContent = ""), 6000);
}

function explain(answer, state) {
  find("from-repository").hidden = !answer.link;
  find("no-repository").hidden = Boolean(answer.link);
  find("path").textContent = answer.path;
  find("place").textContent = `${state.repository}, branch ${state.branch || "main"}`;
  find("direct").href = answer.link;
  find("direct").textContent = answer.link;
  find("dialog").showModal();
}
