// What the page holds: the list, the stories, the words they share. A story is read when somebody looks at it. The places of the fields
// are those of viz/page/page_story.c and viz/page/page_parts.c.
const KINDS = ["enter", "exit", "call", "packet", "depart", "arrive", "state", "kernel", "end", "unreturned", "skip"];
const FLIGHTS = ["whole", "departs", "arrives", "lost"];
const NOTES = ["cause", "chain", "drop", "queue", "reset", "comment", "difference"];
const CAUSES = ["unknown", "call", "segment", "timer", "exit", "kernel"];
const SIDES = ["client", "server"];

const dataOf = id => document.getElementById(id).textContent;
const WORDS = JSON.parse(dataOf("words"));
const RUN = JSON.parse(dataOf("run"));
const LINES = dataOf("stories").split("\n"); // "[", then two lines a connection, then "]"

// A word as [[style, text], ...].
function phrase(word) {
  if (typeof word === "number") word = WORDS[word];
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

function readPacket(p) {
  return {
    number: p[0],
    flight: FLIGHTS[p[1]],
    alarming: (p[2] & 1) !== 0,
    again: (p[2] & 2) !== 0,
    flies: p[3],
    cause: CAUSES[p[4]],
    by: p[5],
    first: p[6],
    detail: p[7],
    flags: plain(p[8]),
    seq: p[9],
    ack: p[10],
    length: p[11],
    window: plain(p[12]),
    what: plain(p[13]),
    options: plain(p[14]),
    stamp: p[15],
    echo: p[16],
    vantage: plain(p[17]),
    place: p[18],
    absolute: p.length > 19 ? [p[19], p[20]] : null,
    row: -1
  };
}

function readCall(c) {
  return {
    side: c[0],
    lane: c[1],
    first: c[2],
    last: c[3],
    sleep: c[5] ? [c[4], c[5]] : null,
    name: plain(c[6]),
    args: plain(c[7]),
    process: plain(c[8]),
    began: c[9],
    ended: c[10] === null || c[9] === null ? c[10] : c[9] + c[10],
    result: plain(c[11]),
    slept: c[12],
    wake: plain(c[13]),
    evidence: plain(c[14]),
    waker: c[15],
    maybe: c[16] === 1
  };
}

// Timestamps are told by what differs from those before.
function readStamps(packet, side, last) {
  if (!packet.options.includes("timestamps")) return;
  packet.echo += last[1 - side];
  last[side] = packet.stamp += last[side];
}

function readRows(story, rows) {
  const stamps = [0, 0];
  let t = 0;
  const now = story.first.slice();
  return rows.map((r, index) => {
    t += r[1];
    const kind = KINDS[r[0]];
    const row = {
      index,
      kind,
      t,
      side: r[2],
      label: r[3],
      packet: null,
      call: null,
      notes: groups(typeof r[5] === "number" ? WORDS[r[5]] : r[5], 4, readNote),
      states: groups(r[6], 4, s => ({side: s[0], name: plain(s[1]), arrow: s[2], t: t + s[3], from: ""})),
      pause: r[7]
    };
    for (const state of row.states) {
      state.from = now[state.side];
      now[state.side] = state.name;
    }
    row.said = toRead(row.notes);
    row.now = now.slice();
    if (kind === "packet" || kind === "depart" || kind === "arrive") {
      row.packet = story.packets[r[4]];
      if (row.packet.row < 0) {
        row.packet.row = index;
        readStamps(row.packet, row.side, stamps);
      }
    } else if (r[4] >= 0) row.call = story.calls[r[4]];
    return row;
  });
}

function readStory(index) {
  const s = JSON.parse(LINES[2 + 2 * index].replace(/,$/, ""));
  const story = {
    title: s[0],
    question: s[1],
    headline: s[2],
    ends: s[3],
    facts: groups(s[4], 2, f => ({key: plain(f[0]), words: f[1]})),
    first: s[5].map(plain),
    lanes: s[6],
    bases: s[7],
    packets: s[9].map(readPacket),
    calls: s[10].map(readCall),
    findings: s[11].map(f => ({id: plain(f[0]), severity: ["", "note", "warning", "error"][f[1]], words: plain(f[2]), rows: f[3]}))
  };
  story.rows = readRows(story, s[8]);
  return story;
}
