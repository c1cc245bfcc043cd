// Who makes the notebooks: the server this page came from, or Python in a worker of this page.

// Return a function from a state to a promise of its answer, which the same Python code makes
// (web/answer.py). JSON goes both ways as text: it keeps whatever a person may have typed.
export function connect(engine) {
  const send = engine === "server" ? askServer : askWorker();
  return async (state) => JSON.parse(await send(JSON.stringify(state)));
}

async function askServer(text) {
  const headers = { "Content-Type": "application/json" };
  let response;
  try {
    response = await fetch("render", { method: "POST", headers, body: text });
  } catch {
    throw new Error("the server has ended; start colab-gen web again");
  }
  if (!response.ok) throw new Error(await response.text());
  return response.text();
}

function askWorker() {
  const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
  const waiting = new Map();
  let number = 0;
  worker.onmessage = ({ data }) => {
    const { resolve, reject } = waiting.get(data.number);
    waiting.delete(data.number);
    if (data.fault) reject(new Error(data.fault));
    else resolve(data.text);
  };
  worker.onerror = (event) => {
    event.preventDefault();
    for (const { reject } of waiting.values()) reject(new Error("Python did not start here"));
    waiting.clear();
  };
  return (text) =>
    new Promise((resolve, reject) => {
      waiting.set(++number, { resolve, reject });
      worker.postMessage({ number, text });
    });
}
