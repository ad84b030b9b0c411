// What the page holds: the list, the stories, the words they share. A story is read when somebody looks at it. The places of the fields
// are those of viz/page/page_story.c and viz/page/page_parts.c.
const KINDS = ["enter", "exit", "call", "packet", "depart", "arrive", "state", "kernel", "end", "unreturned", "skip"];
const FLIGHTS = ["whole", "departs", "arrives", "lost"];
const NOTES = ["cause", "chain", "drop", "queue", "reset", "comment", "difference"];
const CAUSES = ["unknown", "call", "segment", "timer", "exit", "kernel"];

const dataOf = id => document.getElementById(id).textContent;
const WORDS = JSON.parse(dataOf("words"));
const RUN = JSON.parse(dataOf("run"));

// A sentence in the page's language, its holes ("%s" in order, or "%2$s") filled.
const SENTENCES = RUN.sentences || {};
const tr = (sentence, ...holes) => {
  let next = 0;
  return (SENTENCES[sentence] || sentence).replace(/%(?:(\d)\$)?s/g, (hole, place) => holes[place ? place - 1 : next++]);
};
const SIDES = [tr("client"), tr("server")];
const LINES = dataOf("stories").split("\n"); // "[", then two lines a connection, then "]"

// A word may be told by one like it: [-1 - number of that, "its own digits"].
function wordOf(word) {
  if (typeof word !== "number") return word;
  const told = WORDS[word];
  if (!Array.isArray(told) || !(told[0] < 0) || typeof told[1] !== "string") return told;
  const model = WORDS[-1 - told[0]],
    digits = told[1].split(" "),
    fill = text => text.replace(/[0-9][0-9.]*/g, () => digits.shift());
  WORDS[word] = Array.isArray(model) ? model.map(part => (typeof part === "string" ? fill(part) : part)) : fill(model);
  return WORDS[word];
}

// A word as [[style, text], ...].
function phrase(word) {
  word = wordOf(word);
  if (typeof word === "string") return word ? [[0, word]] : [];
  const runs = [];
  for (let i = 0; i < word.length; i += 2) runs.push([word[i], word[i + 1]]);
  return runs;
}
const plain = word =>
  phrase(word)
    .map(run => run[1])
    .join("");

function groups(flat, size, make) {
  const made = [];
  for (let i = 0; i < flat.length; i += size) made.push(make(flat.slice(i, i + size)));
  return made;
}

function readList() {
  const lines = [],
    seen = new Map();
  for (let i = 1; i + 1 < LINES.length; i += 2) lines.push(LINES[i]);
  return JSON.parse("[" + lines.join("").replace(/,$/, "") + "]").map((row, index) => {
    const times = (seen.get(row[0]) || 0) + 1;
    seen.set(row[0], times);
    return {
      index,
      name: times > 1 ? `${row[0]}.${times}` : row[0],
      outcome: plain(row[1]),
      severity: row[2],
      findings: row[3].map(plain),
      took: row[4],
      bytes: row[5] + row[6],
      ends: [plain(row[7]), plain(row[9])],
      processes: [plain(row[8]), plain(row[10])],
      soFar: (row[11] & 1) !== 0,
      udp: (row[11] & 2) !== 0,
      packets: row[12],
      begun: row[13]
    };
  });
}

function readNote(n) {
  return {
    kind: NOTES[n[0]],
    drawn: (n[1] & 1) !== 0,
    ofState: (n[1] & 2) !== 0,
    onlyIfShort: (n[1] & 4) !== 0,
    weak: (n[1] & 8) !== 0,
    words: n[2],
    evidence: plain(n[3])
  };
}

// In brief a drawing says less than there is to be read: then its short causes are left to it.
function toRead(notes) {
  const isLong = note => note.kind === "cause" && !note.drawn;
  return notes.filter(note => note.kind !== "cause" || !note.drawn || !notes.some(other => isLong(other) && other.ofState === note.ofState));
}

// Flat lists: each item is its shape and what differs, which next() hands out.
function items(flat, read) {
  const made = [];
  let at = 0;
  const next = () => flat[at++];
  while (at < flat.length) made.push(read(wordOf(next()), next, made));
  return made;
}

function readPacket(shape, next, before) {
  const bits = shape[2],
    index = before.length,
    cause = CAUSES[shape[3]],
    packet = {
      number: shape[0] + (index ? before[index - 1].number : 0),
      flight: FLIGHTS[shape[1]],
      alarming: (bits & 1) !== 0,
      again: (bits & 2) !== 0,
      cause,
      flags: plain(shape[4]),
      window: plain(shape[5]),
      what: plain(shape[6]),
      options: plain(shape[7]),
      vantage: plain(shape[8]),
      detail: next(),
      by: next(),
      seq: next(),
      ack: next(),
      length: next(),
      flies: next(),
      place: next(),
      stamped: (bits & 4) !== 0,
      row: -1
    };
  if (!(bits & 32)) packet.by = -1;
  else if (cause !== "call") packet.by += index;
  packet.stamp = bits & 4 ? next() : 0;
  packet.echo = bits & 4 ? next() : 0;
  packet.first = bits & 8 ? next() : -1;
  packet.absolute = bits & 16 ? [next(), next()] : null;
  return packet;
}

function readCall(shape, next, before, processes) {
  const bits = shape[8],
    last = before.length ? before[before.length - 1].base : 0,
    call = {
      side: shape[0],
      lane: shape[1],
      first: -1,
      last: -1,
      name: plain(shape[2]),
      args: plain(shape[3]),
      process: plain(processes[shape[4]]),
      result: plain(shape[5]),
      wake: plain(shape[6]),
      evidence: plain(shape[7]),
      maybe: (bits & 1) !== 0
    };
  call.began = bits & 2 ? last + next() : null;
  call.base = call.began === null ? 0 : call.began;
  call.ended = bits & 4 ? call.base + next() : null;
  call.sleep = null;
  if (bits & 8) {
    const from = call.base + next();
    call.sleep = [from, from + next()];
  }
  call.slept = bits & 16 ? next() : bits & 32 ? 0 : call.sleep ? call.sleep[1] - call.sleep[0] : -1;
  call.waker = bits & 64 ? next() : -1;
  if (bits & 128) call.last = next();
  return call;
}

// Timestamps are told by what differs from those before.
function readStamps(packet, side, last) {
  if (!packet.stamped) return;
  packet.echo += last[1 - side];
  last[side] = packet.stamp += last[side];
}

// Which packet or call: counted from the next that no row had.
function pick(list, seen, which, what) {
  if (which === null) return null;
  const index = seen[what] + which;
  seen[what] = Math.max(seen[what], index + 1);
  return list[index];
}

function readRows(story, flat) {
  const stamps = [0, 0],
    seen = {packets: 0, calls: 0};
  let t = 0;
  const now = story.first.slice();
  return items(flat, (shape, next, before) => {
    const kind = KINDS[shape[0]],
      isPacket = kind === "packet" || kind === "depart" || kind === "arrive",
      index = before.length,
      label = next();
    t += next();
    const row = {
      index,
      kind,
      t,
      side: shape[1],
      label,
      packet: isPacket ? pick(story.packets, seen, shape[2], "packets") : null,
      call: isPacket ? null : pick(story.calls, seen, shape[2], "calls"),
      notes: groups(wordOf(shape[3]), 4, readNote),
      states: groups(shape.slice(5), 3, s => ({side: s[0], name: plain(s[1]), arrow: s[2], t: t + next(), from: ""})),
      pause: shape[4] ? next() : undefined
    };
    for (const state of row.states) {
      state.from = now[state.side];
      now[state.side] = state.name;
    }
    row.said = toRead(row.notes);
    row.now = now.slice();
    if (row.packet && row.packet.row < 0) {
      row.packet.row = index;
      readStamps(row.packet, row.side, stamps);
    }
    if (row.call && (kind === "enter" || kind === "call")) row.call.first = index;
    if (row.call && (kind === "exit" || kind === "call")) row.call.last = index;
    return row;
  });
}

function readStory(index) {
  const s = JSON.parse(LINES[2 + 2 * index].replace(/,$/, "")),
    processes = s[12];
  const story = {
    title: s[0],
    question: s[1],
    headline: s[2],
    ends: s[3],
    facts: groups(s[4], 2, f => ({key: plain(f[0]), words: f[1]})),
    first: s[5].map(plain),
    lanes: s[6],
    bases: s[7],
    packets: items(s[9], readPacket),
    calls: items(s[10], (shape, next, before) => readCall(shape, next, before, processes)),
    findings: s[11].map(f => ({id: plain(f[0]), severity: ["", "note", "warning", "error"][f[1]], words: plain(f[2]), rows: f[3]}))
  };
  story.rows = readRows(story, s[8]);
  return story;
}
