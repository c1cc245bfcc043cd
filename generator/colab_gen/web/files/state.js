// The state of the page is a recipe: { title, features, values, accelerator, … }. It stands in the
// address behind the #, so that a link or a reload brings it back. Whatever comes from there is
// a stranger's: only names that the form has are taken, and only texts, ticks and lists.

const LONGEST = 100_000; // characters; browsers refuse far longer addresses

// Return the state in a fragment, or null where there is none.
export function readFragment(fragment, data) {
  let given;
  try {
    given = JSON.parse(decodeURIComponent(fragment.slice(1)));
  } catch {
    return null;
  }
  if (typeof given !== "object" || given === null) return null;
  const state = { values: {} };
  for (const key of ["title", "accelerator", "repository", "branch", "file"]) {
    if (typeof own(given, key) === "string") state[key] = given[key];
  }
  state.high_ram = own(given, "high_ram") === true;
  const features = own(given, "features");
  const names = data.features.map((feature) => feature.name);
  state.features = Array.isArray(features) ? names.filter((name) => features.includes(name)) : [];
  for (const { name } of data.features.flatMap((feature) => feature.parameters)) {
    const value = own(own(given, "values"), name);
    if (["string", "boolean"].includes(typeof value)) state.values[name] = value;
    if (typeof value === "number") state.values[name] = String(value);
  }
  return state;
}

// Keep the state in the address; return whether it went in.
export function writeFragment(state) {
  const text = encodeURIComponent(JSON.stringify(state));
  if (text.length > LONGEST) return false;
  try {
    history.replaceState(null, "", `#${text}`);
    return true;
  } catch {
    return false; // Safari allows a hundred in half a minute
  }
}

function own(object, key) {
  return typeof object === "object" && object && Object.hasOwn(object, key) ? object[key] : undefined;
}
