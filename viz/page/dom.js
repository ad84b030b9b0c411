// Elements, words as elements, times as words.
const SVG = "http://www.w3.org/2000/svg";
const STYLES = ["", "dim", "b", "c", "c b", "s", "s b", "a"]; // of a phrase's runs, in HTML
const PENS = ["", "w-d", "w-i w-b", "w-c", "w-c w-b", "w-s", "w-s w-b", "w-a w-b"]; // the same in the drawing
const $ = id => document.getElementById(id);

function fill(element, attributes, children) {
  for (const name in attributes)
    if (attributes[name] !== null && attributes[name] !== undefined) element.setAttribute(name, attributes[name]);
  for (const child of children) if (child !== null && child !== undefined) element.append(child);
  return element;
}
const el = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
const pen = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

// A phrase as spans.
function spans(word) {
  return phrase(word).map(([style, text]) => (style ? el("span", {class: STYLES[style]}, text) : document.createTextNode(text)));
}

// As the terminal's: milliseconds with three decimals, from 100 s on seconds.
function timeWords(ns) {
  const sign = ns < 0 ? "-" : "",
    size = Math.abs(ns);
  return size >= 1e11 ? `${sign}${(Math.floor(size / 1e8) / 10).toFixed(1)} s` : sign + (Math.floor(size / 1000) / 1000).toFixed(3);
}
function durationWords(ns) {
  for (const [below, unit, name] of [
    [1e3, 1, "ns"],
    [1e6, 1e3, "\u00b5s"],
    [1e9, 1e6, "ms"],
    [60e9, 1e9, "s"]
  ]) {
    if (ns >= below) continue;
    const whole = Math.floor(ns / unit),
      decimals = whole >= 100 || unit === 1 ? 0 : whole >= 10 ? 1 : 2,
      words = (ns / unit).toFixed(decimals);
    return `${decimals ? words.replace(/\.?0+$/, "") : words} ${name}`;
  }
  const seconds = Math.floor(ns / 1e9);
  return seconds < 3600
    ? `${Math.floor(seconds / 60)} min ${seconds % 60} s`
    : `${Math.floor(seconds / 3600)} h ${Math.floor(seconds / 60) % 60} min`;
}
const grouped = n => String(n).replace(/\B(?=(\d{3})+$)/g, ",");

// ---- how wide words are, in the reader's own fonts ----

const FACES = {
  sans: "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue','Noto Sans','DejaVu Sans','PingFang SC','Microsoft YaHei','Noto Sans CJK SC','WenQuanYi Micro Hei',sans-serif",
  mono: "ui-monospace,'Cascadia Mono','SF Mono',Menlo,Consolas,'DejaVu Sans Mono','Noto Sans Mono CJK SC','WenQuanYi Micro Hei Mono',monospace"
};
const ruler = document.createElement("canvas").getContext("2d");
const widths = new Map();

function widthOf(text, size, face, bold) {
  const key = `${bold ? "b" : ""}${face[0]}${text}`;
  let width = widths.get(key);
  if (width === undefined) {
    ruler.font = `${bold ? "bold " : ""}100px ${FACES[face]}`;
    width = ruler.measureText(text).width / 100;
    if (widths.size > 50000) widths.clear();
    widths.set(key, width);
  }
  return width * size;
}

const isBold = (style, font) => font.bold || style === 2 || style === 4 || style === 6 || style === 7;

// Words: what stands between blanks, of any number of styles. A wide character is one by itself, with the stops behind it and the
// brackets before it: a line may end there.
const OPENS = "\uff08\u300c\u300a\u201c",
  CLOSES = "\u3001\u3002\uff0c\uff1b\uff1a\uff1f\uff01\uff09\u300d\u300b\u201d",
  WIDE = "\u2e80-\u3000\u3003-\u3007\u3012-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff0d-\uff19\uff1c-\uff1e\uff20-\uff60";
const WORD = new RegExp(` +|[${OPENS}]*(?:[${WIDE}]|[^ ${OPENS}${CLOSES}${WIDE}]+)[${CLOSES}]*|[^ ]`, "g"),
  BEGINS_WIDE = new RegExp(`^[${OPENS}${WIDE}]`),
  ENDS_WIDE = new RegExp(`[${CLOSES}${WIDE}]$`);
function tokensOf(runs, font) {
  const tokens = [];
  let token = null,
    before = "";
  for (const [style, text] of runs)
    for (const text_ of text.match(WORD) || []) {
      const piece = {style, text: text_, width: widthOf(text_, font.size, font.face || "sans", isBold(style, font))},
        blank = text_[0] === " ",
        breaks = !blank && (BEGINS_WIDE.test(text_) || ENDS_WIDE.test(before));
      if (!token || token.blank !== blank || breaks) tokens.push((token = {blank, pieces: [], width: 0}));
      token.pieces.push(piece);
      token.width += piece.width;
      before = text_;
    }
  return tokens;
}

// Runs in lines of at most `width`: [{runs, width}, ...]; broken at blanks, in a word only where it is longer than a line.
function wrap(runs, font, width) {
  const lines = [];
  let line = {runs: [], width: 0},
    blank = null;
  const put = (style, text, wide) => {
    const last = line.runs[line.runs.length - 1];
    if (last && last[0] === style) last[1] += text;
    else line.runs.push([style, text]);
    line.width += wide;
  };
  const end = () => {
    lines.push(line);
    line = {runs: [], width: 0};
    blank = null;
  };
  for (const token of tokensOf(runs, font)) {
    if (token.blank) {
      if (line.runs.length) blank = token;
      continue;
    }
    if (line.runs.length && line.width + (blank ? blank.width : 0) + token.width > width) end();
    for (const piece of blank ? blank.pieces : []) put(piece.style, piece.text, piece.width);
    blank = null;
    for (const {style, text, width: wide} of token.pieces) {
      if (line.width + wide <= width) put(style, text, wide);
      else
        for (const letter of text) {
          const one = widthOf(letter, font.size, font.face || "sans", isBold(style, font));
          if (line.runs.length && line.width + one > width) end();
          put(style, letter, one);
        }
    }
  }
  if (line.runs.length) lines.push(line);
  return lines;
}
