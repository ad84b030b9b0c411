// The drawing: what was laid, as elements of SVG. Words stay words, colours are classes (viz/pen.css).
const LINE = ["w-lc", "w-ls"],
  AREA = ["w-fc", "w-fs"],
  FILL = ["w-c", "w-s"];
const round = x => Math.round(x * 10) / 10;

class Draw {
  constructor(lay) {
    Object.assign(this, {lay, at: lay.at, story: lay.story, ids: 0});
    this.ground = pen("g", {});
    this.shapes = pen("g", {});
    this.words = pen("g", {});
    this.bands();
    for (const side of [0, 1]) this.path(`w-ln ${LINE[side]}`, `M${round(this.at.life[side])} ${lay.top}V${lay.bottom}`);
    for (const call of this.story.calls) this.bar(call, this.lay.calls.get(call));
    for (const fold of lay.folds) this.fold(fold);
    for (const flight of lay.flights) this.cause(flight);
    for (const call of this.story.calls) this.wake(call, this.lay.calls.get(call));
    for (const flight of lay.flights) this.flight(flight);
    for (const text of lay.texts) this.text(text);
    this.hits();
    this.svg = this.whole();
  }

  path(classes, d, more) {
    this.shapes.append(pen("path", {class: classes, d, ...more}));
  }
  rect(classes, x, y, width, height, more) {
    this.shapes.append(pen("rect", {class: classes, x: round(x), y: round(y), width: round(width), height: round(height), ...more}));
  }

  // ---- states ----

  bands() {
    if (!this.at.band) return;
    for (const side of [0, 1]) {
      let name = this.lay.from ? this.story.rows[this.lay.from - 1].now[side] : this.story.first[side],
        y = this.lay.top,
        row;
      for (const band of this.lay.bands) {
        if (band.side !== side) continue;
        if (name && band.y - y > (this.at.narrow ? 3 : SIZE.state)) this.band(side, y, band.y, name, row);
        name = band.name;
        y = band.y;
        row = band.row;
      }
      if (name) this.band(side, y, this.lay.bottom, name, row);
    }
  }
  band(side, y, end, name, row) {
    const x = this.at.bandX[side],
      width = this.at.band,
      edge = this.at.narrow ? 3 : 6,
      height = Math.max(1, end - y - 2),
      answer = row === undefined ? {} : {"data-row": row};
    this.rect(AREA[side], x, y + 1, width, height, answer);
    this.rect(FILL[side], side ? x + width - edge : x, y + 1, edge, height);
    const place = {size: SIZE.state, bold: true, role: FILL[side], row, answer: row !== undefined, anchor: "start", y: y + SIZE.state + 3};
    if (!this.at.narrow) {
      place.x = side ? x + 8 : x + 14;
      while (place.size > 9 && widthOf(name, place.size, "sans", true) > width - 20) place.size--;
    } else {
      // as much of it as the strip is high, from below to above
      place.size = 11;
      if (widthOf(name, place.size, "sans", true) > height - 6) return;
      Object.assign(place, {x: side ? x + width - 7 : x + width - 3, y: y + 5 + widthOf(name, place.size, "sans", true), turned: true});
    }
    this.text({...place, runs: [[0, name]]});
  }

  // ---- calls ----

  shownLane(call) {
    return call.lane < this.at.lanes[call.side];
  }
  bar(call, stands) {
    if (!this.shownLane(call) || (!stands.y && !stands.end && !(call.first < this.lay.from && (call.last < 0 || call.last >= this.lay.to))))
      return;
    const side = call.side,
      x = this.lay.laneX(side, call.lane),
      y = stands.y || this.lay.top,
      end = stands.end || this.lay.bottom,
      signs = this.lay.signs;
    const row = call.first >= 0 ? call.first : call.last,
      more = row >= 0 ? {"data-row": row} : {};
    if (end - y < 8) {
      this.rect(FILL[side], x - BAR / 2, (y + end) / 2 - 4, BAR, 8, {rx: 3, ...more});
      signs.add("runs");
      return;
    }
    const piece = (from, to, classes, extra) => to > from && this.rect(classes, x - BAR / 2, from, BAR, to - from, {...more, ...extra});
    if (call.sleep) {
      const from = Math.min(Math.max(this.lay.yOf(call.sleep[0]), y), end),
        to = Math.min(Math.max(this.lay.yOf(call.sleep[1]), from), end);
      piece(y, from, FILL[side]);
      piece(from, to, LINE[side], {fill: `url(#w-sleep-${"cs"[side]})`});
      piece(to, end, FILL[side]);
      signs.add("sleeps");
      if (from > y || to < end) signs.add("runs");
    } else {
      piece(y, end, call.maybe ? `${AREA[side]} ${LINE[side]}` : FILL[side]);
      signs.add(call.maybe ? "maybe" : "runs");
    }
    if (call.lane > 0 && this.at.wide) this.leaders(side, x, stands);
  }
  leaders(side, x, stands) {
    const from = this.lay.laneX(side, 0) + (side ? 10 : -10);
    if (stands.y) this.path("w-ln w-th w-ld", `M${round(from)} ${stands.y}H${round(x)}`);
    if (stands.end && stands.end !== stands.y) this.path("w-ln w-th w-ld", `M${round(from)} ${stands.end}H${round(x)}`);
  }
  wake(call, stands) {
    const flight = call.waker >= 0 ? this.lay.flightOf.get(this.story.packets[call.waker]) : null;
    if (!flight || !stands.end || !this.shownLane(call) || flight.side === call.side) return;
    const life = round(this.at.life[call.side]),
      x = round(this.lay.laneX(call.side, call.lane)),
      y = round(flight.end || flight.y),
      to = stands.end,
      half = round((life + x) / 2);
    if (to < y) return;
    const row = call.last >= 0 ? {"data-row": call.last} : {};
    this.path(`w-ln w-th ${LINE[call.side]}`, `M${life} ${y}C${half} ${y} ${half} ${to} ${x} ${to}`, row);
    this.shapes.append(
      pen("circle", {class: FILL[call.side], cx: x, cy: to, r: 4.5, ...row}),
      pen("circle", {class: "w-bg", cx: x, cy: to, r: 2, ...row})
    );
    this.lay.signs.add("woke");
  }

  // ---- causes ----

  cause(flight) {
    const packet = flight.packet;
    if (flight.kind === "arrives") return;
    if (packet.cause === "call" && packet.by >= 0) this.made(flight, this.story.calls[packet.by]);
    if (packet.cause === "segment" && packet.by >= 0) this.answer(flight, this.lay.flightOf.get(this.story.packets[packet.by]));
    if (packet.cause === "timer") this.timer(flight);
  }
  made(flight, call) {
    const stands = this.lay.calls.get(call),
      side = flight.side;
    if (!this.shownLane(call) || call.side !== side || stands.y > flight.y) return;
    const life = round(this.at.life[side]),
      toward = side ? -1 : 1,
      x = round(this.lay.laneX(side, call.lane) + (toward * BAR) / 2),
      y = round(flight.y);
    const from = round(stands.end && stands.end < flight.y ? stands.end : flight.y);
    this.path(`w-ln w-th w-answer ${LINE[side]}`, `M${x} ${from}L${x + toward * 6} ${y}L${life - toward * 3} ${y}`, {
      "data-row": flight.row
    });
    this.path(`w-answer ${FILL[side]}`, `M${life - toward} ${y}l${-toward * 8} -4v8z`, {"data-row": flight.row});
    this.lay.signs.add("made");
  }
  answer(flight, by) {
    if (!by || by.side === flight.side) return;
    const side = flight.side,
      y = round(by.end || by.y),
      life = round(this.at.life[side]),
      out = side ? 1 : -1,
      reach = life + out * (this.at.narrow ? 12 : 22),
      to = round(flight.y);
    if (y >= to) return;
    this.path(`w-ln w-th w-do w-answer ${LINE[side]}`, `M${life + out} ${y}C${reach} ${y + 1} ${reach} ${to - 1} ${life + out * 7} ${to}`, {
      "data-row": flight.row
    });
    this.path(`w-answer ${FILL[side]}`, `M${life + out} ${to}l${out * 8} -4v8z`, {"data-row": flight.row});
    this.lay.signs.add("answer");
  }
  timer(flight) {
    const side = flight.side,
      life = round(this.at.life[side]),
      out = side ? 1 : -1,
      x = life + out * 14,
      y = round(flight.y),
      row = {"data-row": flight.row};
    const first = flight.packet.first >= 0 ? this.lay.flightOf.get(this.story.packets[flight.packet.first]) : null;
    if (first && first.side === side && first.y < y - 16)
      this.path(`w-ln w-th w-do w-answer ${LINE[side]}`, `M${life} ${round(first.y)}L${x} ${round(first.y) + 6}V${y - 8}`, row);
    this.shapes.append(pen("circle", {class: `w-bg w-ln w-th w-answer ${LINE[side]}`, cx: x, cy: y, r: 7, ...row}));
    this.path(`w-ln w-th w-answer ${LINE[side]}`, `M${x} ${y}v-4M${x} ${y}h3M${x - out * 7} ${y}H${life}`, row);
    this.lay.signs.add("timer");
  }

  // ---- arrows ----

  head(classes, fromX, fromY, x, y, row) {
    let dx = x - fromX,
      dy = y - fromY;
    const size = Math.hypot(dx, dy) || 1;
    dx /= size;
    dy /= size;
    const d = `M${round(x)} ${round(y)}L${round(x - 12 * dx - 5.5 * dy)} ${round(y - 12 * dy + 5.5 * dx)}L${round(x - 12 * dx + 5.5 * dy)} ${round(y - 12 * dy - 5.5 * dx)}Z`;
    this.path(classes, d, {"data-row": row});
    return [x - 10 * dx, y - 10 * dy];
  }
  flight(flight) {
    const side = flight.side,
      signs = this.lay.signs,
      lost = flight.kind === "lost",
      y = flight.y,
      end = flight.end || y;
    let from = this.at.life[side],
      to = this.at.life[1 - side];
    if (lost) to = from + ((to - from) * 4) / 5;
    if (flight.kind === "arrives") from += (to - from) / 4;
    const line = `w-ln ${flight.alarming ? "w-la" : LINE[side]}${flight.again || flight.kind === "arrives" ? " w-da" : ""}`,
      fill = flight.alarming ? "w-a" : FILL[side];
    const short = to > from ? -10 : 10,
      dy = ((end - y) * short) / (to - from);
    this.path(line, `M${round(from)} ${round(y)}L${round(lost ? to : to + short)} ${round(lost ? end : end + dy)}`, {
      "data-row": flight.row
    });
    if (lost)
      this.path("w-ln w-la", `M${round(to) - 6} ${round(end) - 6}l12 12m0 -12l-12 12`, {"stroke-width": 2.6, "data-row": flight.row});
    else {
      const behind = this.head(fill, from, y, to, end, flight.row);
      if (flight.alarming) this.head(fill, from, y, behind[0], behind[1], flight.row);
    }
    if (flight.again) signs.add("again");
    if (flight.alarming) signs.add("reset");
    signs.add(lost ? "lost" : flight.kind !== "arrives" && flight.arrives ? "slope" : "level");
  }

  // ---- folds and words ----

  fold(fold) {
    const y = round(fold.y),
      [left, right] = [this.at.bandX[0], this.at.bandX[1] + this.at.band];
    this.path("w-bg", `M${round(left) - 2} ${y - 5}L${round(right) + 2} ${y - 5}V${y + 5}L${round(left) - 2} ${y + 5}Z`);
    this.path("w-ln w-th w-do w-ld", `M${round(this.at.life[0]) + 16} ${y}H${round(this.at.life[1]) - 16}`);
    const slashes = x => this.path("w-ln w-th w-ld", `M${round(x) - 7} ${y - 2}l14 -7M${round(x) - 7} ${y + 9}l14 -7`);
    for (const side of [0, 1]) {
      slashes(this.at.life[side]);
      if (this.at.band) slashes(side ? right - 4 : left + 4);
    }
  }
  text(text) {
    const style = `${text.role || "w-i"}${text.face === "mono" ? " w-m" : ""}${text.bold ? " w-b" : ""}${text.halo ? " w-h" : ""}${text.answer ? " w-answer" : ""}`;
    const x = round(text.x),
      y = round(text.y);
    if (text.ground) {
      const wide = text.wide + 10;
      this.words.append(
        pen("rect", {class: "w-bg", x: round(x - wide / 2), y: y - text.size, width: round(wide), height: text.size * 1.25})
      );
    }
    const element = pen("text", {
      x,
      y,
      "font-size": text.size,
      class: style,
      "text-anchor": text.anchor === "start" ? null : text.anchor,
      "data-row": text.row
    });
    if (text.turned) element.setAttribute("transform", `rotate(-90 ${x} ${y})`);
    for (const [run, words] of text.runs) element.append(PENS[run] ? pen("tspan", {class: PENS[run]}, words) : words);
    this.words.append(element);
  }

  // ---- where one clicks, what is now ----

  // From where on a height belongs to a row.
  extent(row) {
    const top = this.lay.rowTop[row],
      bottom = this.lay.rowBottom[row];
    return top === undefined ? null : [top - 4, bottom + 4];
  }
  hits() {
    for (let row = this.lay.from; row < this.lay.to; row++) {
      const extent = this.extent(row);
      if (extent)
        this.ground.append(
          pen("rect", {
            class: "w-hit",
            "pointer-events": "all",
            x: 0,
            y: round(extent[0]),
            width: this.at.width,
            height: round(extent[1] - extent[0]),
            "data-row": row
          })
        );
    }
  }
  whole() {
    const pattern = side =>
      pen(
        "pattern",
        {id: `w-sleep-${side}`, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)"},
        pen("rect", {width: 6, height: 6, class: `w-f${side}`}),
        pen("path", {class: `w-l${side}`, "stroke-width": 2.4, d: "M1 0V6"})
      );
    this.now = pen("rect", {class: "w-now", "pointer-events": "none", x: 0, width: this.at.width, y: 0, height: 0, rx: 4});
    this.cover = pen("rect", {class: "w-cover", x: 0, width: this.at.width, y: 0, height: 0});
    this.found = pen("g", {});
    const height = Math.ceil(this.lay.height);
    return pen(
      "svg",
      {
        class: "w",
        role: "img",
        "aria-labelledby": "w-title w-desc",
        width: this.at.width,
        height,
        viewBox: `0 0 ${this.at.width} ${height}`,
        "xml:space": "preserve"
      },
      pen("title", {id: "w-title"}, `${plain(this.story.title)}: ${plain(this.story.headline)}`),
      pen("desc", {id: "w-desc"}, tr("A ladder: client left, server right, time downward. The tab Steps has the same as a table.")),
      pen("defs", {}, pattern("c"), pattern("s")),
      pen("rect", {class: "w-bg", width: this.at.width, height}),
      this.ground,
      this.found,
      this.shapes,
      this.words,
      this.now,
      this.cover
    );
  }
  // Marks the row; what comes behind `last` is covered (-1: nothing is).
  mark(row, last) {
    const extent = this.extent(row) || [0, 0],
      below = last >= 0 ? (this.extent(last) || extent)[1] + 2 : 0;
    this.now.setAttribute("y", round(extent[0]));
    this.now.setAttribute("height", round(extent[1] - extent[0]));
    this.cover.setAttribute("y", round(below));
    this.cover.setAttribute("height", last >= 0 ? Math.max(0, Math.ceil(this.lay.height - below)) : 0);
    return extent;
  }
  markFound(rows) {
    const marks = rows
      .filter(row => this.extent(row))
      .map(row =>
        pen("rect", {
          class: "w-found",
          x: 0,
          width: 4,
          y: round(this.extent(row)[0]),
          height: round(this.extent(row)[1] - this.extent(row)[0])
        })
      );
    this.found.replaceChildren(...marks);
  }
}

// ---- the legend ----

const SIGNS = [
  ["runs", "call runs", '<rect class="w-c" x="6" y="-5" width="24" height="10" rx="2"/>'],
  ["sleeps", "call sleeps", '<rect class="w-lc" fill="url(#w-sleep-c)" x="6" y="-5" width="24" height="10" rx="2"/>'],
  ["maybe", "may have slept", '<rect class="w-fc w-lc" x="6" y="-5" width="24" height="10" rx="2"/>'],
  [
    "made",
    "call made it",
    '<rect class="w-c" x="3" y="-6" width="8" height="12"/><path class="w-ln w-th w-lc" d="M11 0h14"/><path class="w-c" d="M33 0l-8 -4v8z"/>'
  ],
  [
    "answer",
    "kernel answers by itself",
    '<path class="w-ln w-ls" d="M8 -9V9"/><path class="w-ln w-th w-do w-ls" d="M9 -5C28 -4 28 4 16 5"/><path class="w-s" d="M9 5l8 -4v8z"/>'
  ],
  ["timer", "timer sent it", '<circle class="w-bg w-ln w-th w-lc" cx="18" r="7"/><path class="w-ln w-th w-lc" d="M18 0v-4M18 0h3"/>'],
  [
    "woke",
    "woke the call",
    '<path class="w-ln w-th w-lc" d="M32 -5C20 -5 20 4 8 4"/><circle class="w-c" cx="8" cy="4" r="4.5"/><circle class="w-bg" cx="8" cy="4" r="2"/>'
  ],
  ["slope", "slope: sent to received", '<path class="w-ln w-ls" d="M2 -4L32 4"/>'],
  ["level", "level: its arrival was not seen", '<path class="w-ln w-ls" d="M2 0H32"/>'],
  ["lost", "lost", '<path class="w-ln w-lc" d="M2 0H24"/><path class="w-ln w-la" d="M18 -6l12 12m0 -12l-12 12"/>'],
  ["again", "sent again", '<path class="w-ln w-lc w-da" d="M2 0H34"/>'],
  ["reset", "RST, ICMP error", '<path class="w-ln w-la" d="M2 0H16"/><path class="w-a" d="M24 0l-10 -5v10zM33 0l-10 -5v10z"/>'],
  ["fold", "time folded", '<path class="w-ln w-th w-ld" d="M10 1l14 -7M10 9l14 -7"/>']
];
const signShapes = new DOMParser();

function legend(signs) {
  return SIGNS.filter(sign => !signs || signs.has(sign[0])).map(([, words, shapes]) => {
    const icon = signShapes.parseFromString(
      `<svg xmlns="${SVG}" class="w" width="36" height="18" viewBox="0 -9 36 18" aria-hidden="true">${shapes}</svg>`,
      "image/svg+xml"
    );
    return el("span", {}, document.importNode(icon.documentElement, true), tr(words));
  });
}
