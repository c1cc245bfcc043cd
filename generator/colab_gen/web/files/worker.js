// Python in the background, so that the page stays quick while it starts and works.

import { loadPyodide } from "./pyodide/pyodide.mjs";

const FOLDER = "/home/pyodide/python";
const START = `
import sys
sys.path.insert(0, "${FOLDER}")
from colab_gen.catalog import load_catalog
from colab_gen.web.answer import reply
catalog = load_catalog()
lambda text: reply(catalog, text)
`;
const ready = start();

async function start() {
  const [python, zip] = await Promise.all([loadPyodide(), load("python.zip")]);
  python.unpackArchive(zip, "zip", { extractDir: FOLDER });
  return python.runPython(START);
}

async function load(name) {
  const response = await fetch(new URL(name, import.meta.url));
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return response.arrayBuffer();
}

onmessage = async ({ data: { number, text } }) => {
  try {
    const reply = await ready;
    postMessage({ number, text: reply(text) });
  } catch (error) {
    // Of a Python traceback the last such line says what is wrong.
    const lines = String(error.message ?? error).trim().split("\n");
    postMessage({ number, fault: lines.findLast((line) => /^[\w.]+: /.test(line)) ?? lines.at(-1) });
  }
};
