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
const failure = firstFailure(); // before anything is fetched
const ready = Promise.race([start(), failure]);

async function start() {
  const [python, zip] = await Promise.all([loadPyodide(), load("python.zip")]);
  python.unpackArchive(zip, "zip", { extractDir: FOLDER });
  return python.runPython(START);
}

async function load(name) {
  const response = await fetch(new URL(name, import.meta.url));
  return response.arrayBuffer();
}

// Pyodide waits without end for a file that does not come, so all that is fetched is watched.
function firstFailure() {
  const real = self.fetch;
  return new Promise((_, reject) => {
    self.fetch = async (address, options) => {
      try {
        const response = await real(address, options);
        if (!response.ok) throw new Error(`status ${response.status}`);
        return response;
      } catch (error) {
        reject(new Error(`${new URL(address).pathname} did not come: ${error.message}`));
        throw error;
      }
    };
  });
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
