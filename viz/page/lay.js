// Where everything of a ladder stands, for the width that there is. As the picture's (viz/svg/svg_lay.c): every instant has a height of its
// own, later ones lower; bands, calls and the wire are columns that push each other down. Where the page is narrow, calls stand in the
// wire's column and states are strips.
const SIZE = {label: 13, cause: 15, evidence: 11, call: 12, time: 12, state: 12, head: 15, tick: 14, lean: 16, fold: 40, same: 28};
const LANES_MAX = 8,
  BAR = 9,
  PAD = 12,
  GAP = 8,
  ROWS_DRAWN = 600;

// Where calls have no room beside the wire they stand in its column.
function columns(story, width, wide = width >= 940) {
  const narrow = width < 560,
    udp = story.rows.every(row => !row.states.length) && !story.first[0] && !story.first[1];
  const lanes = story.lanes.map(n => Math.min(Math.max(n, 1), LANES_MAX)),
    most = Math.max(...lanes);
  const c = {
    width,
    wide,
    narrow,
    lanes,
    lane: narrow ? 11 : 14,
    gutter: wide ? 30 : narrow ? 16 : 26,
    band: udp ? 0 : narrow ? 18 : wide ? 106 : 100
  };
  const margin = wide ? 16 : narrow ? 2 : 8;
  c.time = narrow ? 0 : margin + 54;
  c.bandX = [narrow ? margin : c.time + 10, width - margin - c.band];
  const left = c.bandX[0] + c.band,
    right = c.bandX[1];
  if (wide) {
    const wire = Math.min(470, Math.max(320, width * 0.34)) - (most > 3 ? 10 * (most - 3) : 0),
      sides = (right - left - wire) / 2;
    c.life = [left + sides, right - sides];
    c.words = sides - c.gutter - c.lane * (most - 1) - 20;
    if (c.words < 110) return columns(story, width, false);
  } else {
    c.life = [left + c.gutter + c.lane * (lanes[0] - 1) + 8, right - c.gutter - c.lane * (lanes[1] - 1) - 8];
    c.words = (c.life[1] - c.life[0]) * 0.8;
  }
  return c;
}

class Lay {
  constructor(story, width, from) {
    Object.assign(this, {story, from, to: Math.min(story.rows.length, from + ROWS_DRAWN), at: columns(story, width)});
    Object.assign(this, {
      texts: [],
      marks: [],
      bands: [],
      folds: [],
      flights: [],
      open: [],
      signs: new Set(),
      lastTime: "",
      rowTop: [],
      rowBottom: []
    });
    this.flightOf = new Map(); // of a packet
    this.calls = new Map(); // of a call: {y, end}
    this.endsAt = new Map(); // by row: the calls that end there
    for (const call of story.calls) {
      this.calls.set(call, {y: 0, end: 0});
      this.endsAt.set(call.last, [...(this.endsAt.get(call.last) || []), call]);
    }
    this.landings = new Set();
    for (let i = from; i < this.to; i++) if (story.rows[i].kind === "arrive") this.landings.add(story.rows[i].packet);
    this.head();
    this.y = this.top - SIZE.tick + 16;
    this.wireY = this.top + 4;
    this.callY = [this.top + 4, this.top + 4];
    this.stateY = [this.top + SIZE.state + 9, this.top + SIZE.state + 9];
    for (let i = from; i < this.to; i++) this.row(story.rows[i]);
    this.arriveUntil(Infinity);
    this.bottom = Math.max(this.y, this.wireY, ...this.callY, ...this.stateY.map(y => y + 2)) + 10;
    this.height = this.bottom + 8;
  }

  // ---- words ----

  // Lines from place.y (a baseline) down; place: x, anchor, size, face, bold, width, role, halo, ground, row, answer.
  put(word, place) {
    const runs = Array.isArray(word) ? word : phrase(word),
      lines = wrap(runs, place, place.width),
      step = place.line || place.size + 3;
    lines.forEach((line, i) => this.texts.push({...place, y: place.y + i * step, runs: line.runs, wide: line.width}));
    if (place.row !== undefined && lines.length) this.reach(place.row, place.y - place.size, place.y + (lines.length - 1) * step + 4);
    return lines.length;
  }
  lines(word, place) {
    return wrap(Array.isArray(word) ? word : phrase(word), place, place.width);
  }
  // How far a row's own things reach.
  reach(row, top, bottom) {
    this.rowTop[row] = Math.min(this.rowTop[row] === undefined ? Infinity : this.rowTop[row], top);
    this.rowBottom[row] = Math.max(this.rowBottom[row] || 0, bottom);
  }

  head() {
    let bottom = 0;
    for (const side of [0, 1]) {
      const at = this.at,
        wide = at.wide ? at.band + at.gutter + at.words : at.width / 2 - 10,
        anchor = at.wide === (side === 0) ? "end" : "start";
      const x = at.wide ? at.life[side] : side ? at.width - 8 : 8,
        edge = at.wide ? anchor : side ? "end" : "start";
      this.put([[0, SIDES[side].toUpperCase()]], {
        x,
        y: 20,
        anchor: edge,
        size: SIZE.head,
        bold: true,
        width: wide,
        role: side ? "w-s" : "w-c"
      });
      const n = this.put(this.story.ends[side], {x, y: 37, anchor: edge, size: SIZE.time, width: wide, role: "w-d", line: 15});
      bottom = Math.max(bottom, 37 + (n - 1) * 15);
    }
    this.top = bottom + 20;
    this.tickY = this.top - 10;
    if (this.at.time) this.put([[0, "ms"]], {x: this.at.time, y: this.top - 5, anchor: "end", size: SIZE.time, width: 60, role: "w-d"});
  }

  time(t, y) {
    const words = timeWords(t);
    if (!this.at.time || y - this.tickY < SIZE.time || words === this.lastTime) return;
    let size = SIZE.time;
    while (size > 7 && widthOf(words, size, "sans") > this.at.time - 4) size--;
    this.put([[0, words]], {x: this.at.time, y: y + SIZE.time / 3, anchor: "end", size, width: 200, role: "w-d"});
    this.lastTime = words;
    this.tickY = y;
  }

  // ---- instants ----

  mark(t, least) {
    const last = this.marks[this.marks.length - 1],
      y = Math.max(this.y + (last && last.t === t ? 2 : SIZE.tick), least);
    this.marks.push({t, y});
    this.y = y;
    this.time(t, y);
    return y;
  }
  yOf(t) {
    const marks = this.marks;
    if (!marks.length || t <= marks[0].t) return this.top;
    let low = 0,
      high = marks.length - 1;
    if (t > marks[high].t) return marks[high].y;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (marks[middle].t >= t) high = middle;
      else low = middle + 1;
    }
    const a = marks[low - 1],
      b = marks[low];
    return b.t <= a.t ? b.y : a.y + ((b.y - a.y) * (t - a.t)) / (b.t - a.t);
  }
  roomForState(row, sides) {
    return Math.max(0, ...row.states.filter(s => sides.includes(s.side)).map(s => this.stateY[s.side]));
  }
  addStates(row, sides, y) {
    const begun = [false, false];
    for (const state of row.states) {
      if (!sides.includes(state.side)) continue;
      const at = begun[state.side] ? this.mark(state.t, this.stateY[state.side]) : y;
      begun[state.side] = true;
      this.bands.push({side: state.side, y: at, name: state.name, row: row.index});
      this.stateY[state.side] = at + (this.at.narrow ? 10 : SIZE.state + 9);
      this.reach(row.index, at, at + SIZE.state + 6);
    }
  }

  // ---- packets ----

  labelRuns(row, withTime) {
    const runs = phrase(row.label),
      detail = phrase(row.packet.detail).map(([style, text]) => [style || 1, text]);
    if (detail.length) runs.push([0, "  "], ...detail);
    if (withTime && !this.at.time) runs.push([1, `  ${timeWords(row.t)}\u00a0ms`]);
    return runs;
  }
  labelPlace(width) {
    return {x: (this.at.life[0] + this.at.life[1]) / 2, anchor: "middle", size: SIZE.label, width, line: SIZE.label + 3, halo: true};
  }
  wire() {
    return this.at.life[1] - this.at.life[0];
  }
  isCrossed(i, arrives) {
    if (this.open.length) return true;
    for (let k = i + 1; k < this.to; k++) {
      const row = this.story.rows[k];
      if (row.t > arrives || (row.kind === "arrive" && row.packet === this.story.rows[i].packet)) return false;
      if (row.packet && row.t < arrives) return true;
    }
    return false;
  }
  leave(row) {
    const packet = row.packet,
      seen = packet.flies > 0 && packet.flight !== "lost" && packet.flight !== "arrives";
    const arrives = seen ? row.t + packet.flies : 0,
      side = row.side;
    const flight = {
      row: row.index,
      packet,
      arrives,
      y: 0,
      end: 0,
      side,
      alarming: packet.alarming,
      again: packet.again,
      kind: packet.flight
    };
    flight.lands = packet.flight === "departs" && this.landings.has(packet);
    flight.above = seen && this.isCrossed(row.index, arrives);
    this.flights.push(flight);
    this.flightOf.set(packet, flight);
    const label = this.labelRuns(row, true),
      sides = seen ? [side] : [0, 1];
    let room = flight.above
      ? this.aboveHeight(row, label)
      : this.lines(label, this.labelPlace(this.wire() - 2 * PAD)).length * (SIZE.label + 3) + 3;
    if (flight.above && this.open.some(other => other.side === side)) room += SIZE.same;
    flight.y = this.mark(row.t, Math.max(this.wireY + room, this.roomForState(row, sides)));
    if (flight.above) this.putAbove(row, label, flight.y);
    else this.putLabel(row, label, flight);
    this.wireY = flight.y + 4;
    this.reach(row.index, flight.y - 4, flight.y + 4);
    if (seen) this.open.push(flight);
    else {
      flight.end = flight.y + (packet.flight === "lost" ? SIZE.lean : 0);
      this.sentences(row, flight);
    }
    this.addStates(row, sides, flight.y);
  }
  arrive(flight, row) {
    const at = 1 - flight.side;
    flight.end = this.mark(flight.arrives, Math.max(flight.y + SIZE.lean, this.roomForState(row, [at])));
    this.open = this.open.filter(other => other !== flight);
    if (row.index === flight.row) this.reach(row.index, flight.y, flight.end + 4);
    else this.reach(row.index, flight.end - 6, flight.end + 6);
    if (flight.above) this.wireY = Math.max(this.wireY, flight.end + 4);
    else this.sentences(this.story.rows[flight.row], flight);
    this.addStates(row, [at], flight.end);
  }
  arriveUntil(t) {
    for (;;) {
      let next = null;
      for (const flight of this.open) if (!flight.lands && flight.arrives <= t && (!next || flight.arrives < next.arrives)) next = flight;
      if (!next) break;
      this.arrive(next, this.story.rows[next.row]);
    }
    if (t === Infinity) for (const flight of this.open.slice()) this.arrive(flight, this.story.rows[flight.row]);
  }

  // How far the arrow has fallen where words in the middle of the wire begin.
  putLabel(row, label, flight) {
    const place = this.labelPlace(this.wire() - 2 * PAD),
      lines = this.lines(label, place),
      wide = Math.max(...lines.map(l => l.width));
    const fall = flight.arrives ? (SIZE.lean * (this.wire() - wide)) / (2 * this.wire()) : 0;
    this.put(label, {...place, y: flight.y + fall - 5 - (lines.length - 1) * place.line, row: row.index});
  }

  shown(row, place) {
    return row.notes.filter(
      note => note.drawn && !note.ofState && (!note.onlyIfShort || this.lines(note.words, {...place, size: SIZE.cause}).length <= 1)
    );
  }
  // A sentence and, less loud behind or below it, its evidence; the height it takes. Draws nothing if `dry`.
  note(note, place, dry) {
    const isCause = note.kind === "cause";
    const one = {
      ...place,
      size: isCause ? SIZE.cause : SIZE.evidence + 1,
      role: note.kind === "chain" ? "w-d" : "w-i",
      face: "sans",
      answer: true
    };
    one.line = one.size + 3;
    const tail = {...one, size: SIZE.evidence, line: SIZE.evidence + 3, role: note.weak ? "w-a" : "w-d"};
    const lines = this.lines(note.words, one),
      wide = lines.length ? Math.max(...lines.map(l => l.width)) : 0,
      words = [[0, note.evidence]];
    const tailWide = note.evidence ? widthOf(note.evidence, tail.size, "sans") : 0;
    let height = lines.length * one.line;
    one.y = tail.y = place.y + one.size;
    const behind = lines.length === 1 && note.evidence && wide + GAP + tailWide <= place.width;
    if (behind && place.anchor === "middle") {
      const left = place.x - (wide + GAP + tailWide) / 2;
      Object.assign(one, {x: left, anchor: "start"});
      Object.assign(tail, {x: left + wide + GAP, anchor: "start"});
    } else if (behind && place.anchor === "start") tail.x = place.x + wide + GAP;
    else if (behind) one.x = place.x - tailWide - GAP;
    else if (note.evidence) {
      tail.y = one.y + (lines.length - 1) * one.line + tail.line;
      height += tail.line;
    }
    if (!dry) {
      this.put(note.words, {...one, width: Math.max(one.width, wide + 1)});
      if (note.evidence) this.put(words, {...tail, width: 400});
    }
    return height + 1;
  }
  notes(row, place, dry) {
    let height = 0;
    for (const note of this.shown(row, place)) height += this.note(note, {...place, y: place.y + height}, dry);
    return height;
  }
  sentences(row, flight) {
    const place = {...this.labelPlace(this.wire() - 2 * PAD), row: row.index},
      notes = this.shown(row, place);
    let widest = place.width;
    if (notes.length) widest = Math.min(widest, Math.max(0, ...this.lines(notes[0].words, {...place, size: SIZE.cause}).map(l => l.width)));
    place.y = flight.y + ((flight.end - flight.y) * (this.wire() / 2 + widest / 2)) / this.wire() + 3;
    if (flight.kind === "lost") place.y = flight.end + 7;
    if (!this.at.wide) place.y = Math.max(place.y, this.wireY + 2); // a call may have been said meanwhile
    const height = this.notes(row, place, false);
    this.wireY = Math.max(place.y + height + (height ? 4 : 0), flight.end + 6);
  }
  // Above the arrow, at its sender, where others fly meanwhile.
  abovePlace(side) {
    const place = this.labelPlace(this.wire() * (this.at.wide ? 0.62 : 0.74));
    return {...place, anchor: side ? "end" : "start", x: side ? this.at.life[1] - PAD : this.at.life[0] + PAD};
  }
  aboveHeight(row, label) {
    const place = this.abovePlace(0);
    return this.lines(label, place).length * place.line + this.notes(row, {...place, y: 0}, true) + 8;
  }
  putAbove(row, label, y) {
    const place = {...this.abovePlace(row.side), row: row.index};
    place.y = y - this.aboveHeight(row, label) + place.size + 1;
    const lines = this.put(label, place);
    this.notes(row, {...place, y: place.y + lines * place.line - place.size}, false);
  }

  // ---- calls, folds, rows ----

  callRow(row) {
    const side = row.side,
      at = this.at,
      call = row.call && this.calls.get(row.call);
    const base = at.wide ? this.callY[side] : Math.max(this.callY[side], this.wireY);
    const y = this.mark(row.t, Math.max(base + SIZE.call, this.roomForState(row, [0, 1])));
    if (call && (row.kind === "enter" || row.kind === "call")) call.y = y;
    if (call && (row.kind === "exit" || row.kind === "call")) call.end = y;
    const away = at.gutter + at.lane * (at.lanes[side] - 1) + 14,
      toward = side === 0 ? -1 : 1;
    const place = at.wide
      ? {x: at.life[side] + toward * away, anchor: side ? "start" : "end"}
      : {x: at.life[side] - toward * PAD, anchor: side ? "end" : "start"};
    Object.assign(place, {
      size: SIZE.call,
      face: "mono",
      width: at.words,
      line: SIZE.call + 2,
      halo: true,
      row: row.index,
      y: y + SIZE.call / 3
    });
    const runs = phrase(row.label);
    if (!at.time) runs.push([1, `  ${timeWords(row.t)}\u00a0ms`]);
    let bottom = place.y + (this.put(runs, place) - 1) * place.line + 5;
    for (const note of this.shown(row, place)) bottom += this.note(note, {...place, y: bottom - 3}, false) + 2;
    this.callY[side] = bottom;
    if (!at.wide) this.wireY = Math.max(this.wireY, bottom);
    this.reach(row.index, y - 6, y + 6);
    this.addStates(row, [0, 1], y);
  }
  fold(row, words) {
    let y = Math.max(this.y + 6, this.wireY);
    for (const side of [0, 1]) y = Math.max(y, this.callY[side], this.stateY[side] - 4);
    const middle = y + SIZE.fold / 2;
    this.folds.push({y: middle, row: row.index});
    this.put(words, {
      ...this.labelPlace(this.wire() - 2 * PAD),
      y: middle + SIZE.label / 3,
      halo: false,
      ground: true,
      row: row.kind === "skip" ? row.index : undefined
    });
    this.y = y + SIZE.fold - SIZE.tick;
    this.wireY = y + SIZE.fold;
    this.callY = [y + SIZE.fold, y + SIZE.fold];
    this.stateY = this.stateY.map(s => Math.max(s, y + SIZE.fold));
    this.signs.add("fold");
    return middle;
  }
  row(row) {
    if (row.kind !== "unreturned") this.arriveUntil(row.t);
    if (row.pause !== undefined) this.fold(row, row.pause);
    if (row.kind === "skip") {
      const y = this.fold(row, row.label);
      this.addStates(row, [0, 1], y + 4);
      this.reach(row.index, y - 10, y + 10);
    } else if (row.kind === "packet" || row.kind === "depart") this.leave(row);
    else if (row.kind === "arrive") {
      const flight = this.flightOf.get(row.packet);
      if (flight && flight.arrives && !flight.end) this.arrive(flight, row);
      else if (!flight) this.leave(row);
      this.reach(row.index, this.y - 6, this.y + 6);
    } else this.callRow(row);
    for (const call of this.endsAt.get(row.index) || [])
      if (!this.calls.get(call).end && row.kind !== "unreturned") this.calls.get(call).end = this.y + 6;
  }
  laneX(side, lane) {
    const away = this.at.gutter + (this.at.lanes[side] - 1 - lane) * this.at.lane;
    return side === 0 ? this.at.life[0] - away : this.at.life[1] + away;
  }
}
