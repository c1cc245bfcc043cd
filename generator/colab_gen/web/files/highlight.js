// Python code in colours: one pattern finds what stands out, and the rest stays as it is.

const KEYWORDS =
  "False None True and as assert async await break case class continue def del elif else except " +
  "finally for from global if import in is lambda match nonlocal not or pass raise return try " +
  "while with yield";
const TOKENS = new RegExp(
  [
    /(?<comment>#[^\n]*)/,
    /(?<text>\b[rbfRBF]{0,2}(?:"""[^]*?"""|'''[^]*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|"""[^]*?"""|'''[^]*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')/,
    /(?<decorator>^[ \t]*@[\w.]+)/,
    /(?<number>\b(?:0[xX][\da-fA-F_]+|\d[\d_]*(?:\.[\d_]*)?(?:[eE][-+]?\d+)?)\b)/,
    new RegExp(`\\b(?<keyword>${KEYWORDS.replaceAll(" ", "|")})\\b`),
    /(?<=\b(?:def|class)\s+)(?<name>\w+)/,
  ]
    .map((pattern) => pattern.source)
    .join("|"),
  "gm",
);

// Return the code as a list of texts and coloured elements, which together are the code.
export function highlight(code) {
  const parts = [];
  let end = 0;
  for (const match of code.matchAll(TOKENS)) {
    const [kind] = Object.entries(match.groups).find(([, found]) => found !== undefined);
    const span = document.createElement("span");
    span.className = kind;
    span.textContent = match[0];
    parts.push(code.slice(end, match.index), span);
    end = match.index + match[0].length;
  }
  return [...parts, code.slice(end)];
}
