// What is said about a step: why, the call, the packet; all steps as a table; numbers over time; the connection.
const TABS = ["why", "call", "packet", "steps", "numbers", "connection"];

function factList(pairs) {
  const list = el("dl", {class: "facts"});
  for (const [key, ...value] of pairs)
    if (value.some(v => v !== null && v !== undefined && v !== "")) list.append(el("dt", {}, key), el("dd", {}, ...value));
  return list;
}
function stepLink(row, words) {
  const link = el("button", {type: "button", class: "link"}, words);
  link.addEventListener("click", () => goTo(row));
  return link;
}
// "#2 SYN-ACK" of a packet.
function packetLink(story, packet) {
  if (packet.row < 0) return `#${packet.number}`;
  return stepLink(packet.row, plain(story.rows[packet.row].label));
}
const callWords = call => `${call.name}(${call.args})`;

// A step in one sentence, for who hears it.
function sentenceOf(row, hidden) {
  const parts = [`${timeWords(row.t)} ms`, SIDES[row.side], plain(row.label)];
  if (row.packet && row.kind !== "arrive") parts.push(plain(row.packet.detail));
  if (row.kind === "arrive") parts.push(tr("arrives"));
  if (row.packet && row.packet.flight === "lost") parts.push(tr("lost"));
  if (!hidden) {
    for (const note of row.said) if (note.kind === "cause" && !note.ofState) parts.push(`${plain(note.words)} (${note.evidence})`);
    for (const state of row.states) parts.push(tr("%s becomes %s", SIDES[state.side], state.name));
  }
  return parts.filter(part => part).join(", ");
}

function noteBlock(note) {
  if (note.kind === "chain")
    return el(
      "div",
      {},
      el("h3", {}, tr("kernel call chain, innermost first")),
      el(
        "ol",
        {class: "chain mono"},
        ...plain(note.words)
          .split(" \u2190 ")
          .map(f => el("li", {}, f))
      )
    );
  const block = el("div", {}, el("p", {class: note.kind === "cause" && !note.ofState ? "why" : ""}, ...spans(note.words)));
  if (note.evidence) block.append(el("p", {class: note.weak ? "evidence weak" : "evidence"}, tr("evidence: %s", note.evidence)));
  return block;
}

function tabWhy(story, row) {
  const parts = [el("h2", {}, ...spans(row.label), row.kind === "arrive" ? ` ${tr("arrives")}` : "")];
  const of = row.kind === "arrive" && row.packet.row >= 0 && row.packet.row !== row.index ? story.rows[row.packet.row] : row;
  if (row.pause !== undefined) parts.push(el("p", {class: "dim"}, ...spans(row.pause), ` ${tr("before")}`));
  for (const note of of.said) if (!note.ofState) parts.push(noteBlock(note));
  const ofStates = row.said.filter(note => note.ofState);
  for (const state of row.states) {
    parts.push(
      el("h3", {}, `${SIDES[state.side]}: ${state.from} \u2192 ${state.name}${state.arrow ? tr(", arrow %s of the figure", state.arrow) : ""}`)
    );
    const place = ofStates.findIndex(note => plain(note.words).startsWith(`${state.name}: `));
    if (place >= 0) parts.push(noteBlock(ofStates.splice(place, 1)[0]));
  }
  parts.push(...ofStates.map(noteBlock));
  if (row.call && !row.said.length) parts.push(...callBlock(story, row.call));
  for (const finding of story.findings) if (finding.rows.includes(row.index)) parts.push(findingBlock(finding));
  return parts;
}

function findingBlock(finding) {
  const block = el(
    "div",
    {class: `finding ${finding.severity}`},
    el("b", {}, `${tr(finding.severity)}: ${finding.id}`),
    el("p", {}, finding.words, " ", el("code", {class: "dim"}, `tcpwhy explain ${finding.id}`))
  );
  if (finding.rows.length) block.append(el("p", {class: "dim"}, `${tr("steps")} `, ...finding.rows.map(row => stepLink(row, String(row + 1)))));
  return block;
}

function callBlock(story, call) {
  const slept = call.slept < 0 ? tr("not known") : call.slept === 0 ? tr("never") : durationWords(call.slept);
  const made = story.packets.filter(packet => packet.cause === "call" && story.calls[packet.by] === call);
  return [
    factList([
      [tr("call"), el("code", {}, callWords(call))],
      [tr("process"), `${call.process} (${SIDES[call.side]})`],
      [tr("result"), el("code", {}, call.result)],
      [tr("began"), call.began === null ? tr("before recording") : `${timeWords(call.began)} ms`],
      [tr("ended"), call.ended === null ? tr("not seen") : `${timeWords(call.ended)} ms`],
      [tr("took"), call.began !== null && call.ended !== null ? durationWords(call.ended - call.began) : ""],
      [tr("slept"), slept],
      [tr("woken by"), call.waker >= 0 ? packetLink(story, story.packets[call.waker]) : null],
      [tr("waiting"), call.wake],
      [tr("evidence"), call.evidence],
      [tr("made"), ...made.flatMap(packet => [packetLink(story, packet), " "])]
    ])
  ];
}
function tabCall(story, row) {
  const calls = [];
  if (row.call) calls.push(["", row.call]);
  if (row.packet && row.packet.cause === "call" && row.packet.by >= 0) calls.push([tr("made this segment"), story.calls[row.packet.by]]);
  if (row.packet)
    for (const call of story.calls) if (call.waker >= 0 && story.packets[call.waker] === row.packet) calls.push([tr("was woken by it"), call]);
  if (!calls.length)
    return [
      el(
        "p",
        {class: "dim"},
        story.calls.length ? tr("No call made this step or waited for it.") : tr("No calls were recorded: a capture alone holds none.")
      )
    ];
  return calls.flatMap(([words, call]) => [
    el("h2", {}, `${call.name}()`, words ? el("span", {class: "dim"}, ` ${words}`) : ""),
    ...callBlock(story, call)
  ]);
}

function absolute(story, packet, side, isAck) {
  if (packet.absolute) return packet.absolute[isAck ? 1 : 0];
  const base = story.bases[isAck ? 1 - side : side];
  return base === null ? null : (base + (isAck ? packet.ack : packet.seq)) % 4294967296;
}
// Of a call: the packets that it made and that woke it.
function notAPacket(story, row) {
  const parts = [el("p", {class: "dim"}, tr("This step is no packet."))],
    call = row.call;
  const made = call ? story.packets.filter(packet => packet.cause === "call" && story.calls[packet.by] === call) : [];
  if (made.length)
    parts.push(el("p", {}, `${tr("%s() made", call.name)} `, ...made.flatMap((packet, i) => [i ? ", " : "", packetLink(story, packet)])));
  if (call && call.waker >= 0) parts.push(el("p", {}, `${tr("%s() was woken by", call.name)} `, packetLink(story, story.packets[call.waker])));
  return parts;
}
function tabPacket(story, row) {
  const packet = row.packet;
  if (!packet) return notAPacket(story, row);
  const number = isAck => {
    const whole = absolute(story, packet, row.side, isAck),
      relative = isAck ? packet.ack : packet.seq;
    return whole === null ? tr("%s relative", grouped(relative)) : tr("%s relative, %s absolute", grouped(relative), whole);
  };
  const facts = [
    [tr("from"), tr("the %s", SIDES[row.side])],
    [tr("flags"), packet.flags && el("code", {}, packet.flags)],
    [tr("what it is"), packet.what]
  ];
  if (packet.flags) facts.push(["seq", number(false)], ["ack", packet.ack < 0 ? "" : number(true)], [tr("window"), packet.window]);
  facts.push([tr("length"), tr(packet.length === 1 ? "%s byte" : "%s bytes", grouped(packet.length))], [tr("options"), packet.options]);
  if (packet.options.includes("timestamps")) facts.push([tr("timestamps"), tr("value %s, echo %s", packet.stamp, packet.echo)]);
  const sent = packet.row >= 0 ? story.rows[packet.row].t : row.t;
  facts.push(
    [tr("sent"), `${timeWords(sent)} ms`],
    [
      tr("arrived"),
      packet.flies
        ? tr("%s ms, %s later", timeWords(sent + packet.flies), durationWords(packet.flies))
        : packet.flight === "lost"
          ? tr("lost")
          : tr("not seen")
    ]
  );
  facts.push([tr("capture"), packet.place ? (packet.vantage ? tr("packet %s at %s", packet.place, packet.vantage) : tr("packet %s", packet.place)) : ""]);
  return [el("h2", {}, ...spans(story.rows[packet.row >= 0 ? packet.row : row.index].label)), factList(facts)];
}

function tabSteps(story, row) {
  const from = Math.max(0, Math.min(row.index - 100, story.rows.length - 200)),
    to = Math.min(story.rows.length, from + 200);
  const body = el("tbody", {});
  for (let i = from; i < to; i++) {
    const at = story.rows[i],
      hidden = guess.on && i > guess.shown;
    if (hidden) break;
    const why = at.said.find(note => note.kind === "cause" && !note.ofState),
      states = at.states.map(s => `${SIDES[s.side]}: ${s.name}`).join(", ");
    const cells = el(
      "tr",
      i === row.index ? {class: "now", "aria-current": "step"} : {},
      el("td", {class: "num"}, stepLink(i, String(i + 1))),
      el("td", {class: "num"}, timeWords(at.t)),
      el("td", {class: "end"}, SIDES[at.side]),
      el(
        "td",
        {},
        ...spans(at.label),
        at.kind === "arrive" ? ` ${tr("arrives")}` : "",
        why ? el("span", {class: "because"}, plain(why.words), el("small", {}, ` ${why.evidence}`)) : "",
        states ? el("span", {class: "states"}, states) : ""
      )
    );
    body.append(cells);
  }
  const more = to - from < story.rows.length ? el("p", {class: "dim"}, tr("steps %s to %s of %s", from + 1, to, story.rows.length)) : null;
  return [
    el(
      "table",
      {},
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          ...[tr("step"), "ms", tr("end"), tr("what, and why")].map((h, i) => el("th", i < 2 ? {class: "num", scope: "col"} : {scope: "col"}, h))
        )
      ),
      body
    ),
    more
  ];
}

function tabConnection(story) {
  const parts = [
    el("h2", {}, ...spans(story.headline)),
    factList([
      [tr("client"), ...spans(story.ends[0])],
      [tr("server"), ...spans(story.ends[1])]
    ])
  ];
  parts.push(factList(story.facts.map(fact => [fact.key, ...spans(fact.words)])));
  if (story.findings.length) parts.push(el("h3", {}, tr("findings")), ...story.findings.map(findingBlock));
  parts.push(
    el("h3", {}, tr("the recording")),
    ...RUN.facts.map(fact => el("p", {}, ...spans(fact))),
    ...RUN.clocks.map(clock => el("p", {}, plain(clock)))
  );
  return parts.concat(apartBlocks());
}
// Calls of which no packet was seen.
function apartBlocks() {
  const parts = [];
  for (const [process, calls] of groups(RUN.apart, 2, pair => pair)) {
    parts.push(el("h3", {}, `${tr("calls without a packet")}: `, ...spans(process)));
    for (const [call, why] of groups(calls, 2, pair => pair))
      parts.push(el("p", {}, el("code", {}, ...spans(call)), plain(why) ? el("span", {class: "dim"}, ` ${plain(why)}`) : ""));
  }
  if (RUN.apart_more) parts.push(el("p", {class: "a"}, tr("%s more calls without a packet are not shown", RUN.apart_more)));
  return parts;
}

// Sequence numbers over time, as Stevens and tcptrace draw them: both directions, each above its own zero.
function tabNumbers(story, row) {
  const sent = story.packets.filter(packet => packet.row >= 0 && packet.flags && packet.seq < 2147483648);
  if (!sent.length) return [el("p", {class: "dim"}, tr("No segments."))];
  const parts = [];
  for (const side of [0, 1]) {
    const own = sent.filter(packet => story.rows[packet.row].side === side),
      acks = sent.filter(packet => story.rows[packet.row].side !== side && packet.ack >= 0);
    if (!own.length) continue;
    const t = packet => story.rows[packet.row].t,
      first = Math.min(...sent.map(t)),
      last = Math.max(...sent.map(t)),
      top = Math.max(1, ...own.map(p => p.seq + p.length), ...acks.map(p => p.ack));
    const x = at => round(58 + (268 * (at - first)) / Math.max(1, last - first)),
      y = n => round(150 - (136 * n) / top),
      lines = pen("g", {});
    let d = "";
    for (const ack of acks) d += d ? `H${x(t(ack))}V${y(ack.ack)}` : `M${x(t(ack))} ${y(ack.ack)}`;
    if (d) lines.append(pen("path", {class: `w-ln w-th ${LINE[1 - side]}`, d}));
    for (const packet of own) {
      const now = packet === row.packet;
      lines.append(
        pen("path", {
          class: `w-ln ${packet.again ? "w-la" : LINE[side]}`,
          "stroke-width": now ? 6 : 3,
          d: `M${x(t(packet))} ${y(packet.seq)}V${Math.min(y(packet.seq) - 2, y(packet.seq + packet.length))}`,
          "data-row": packet.row
        })
      );
    }
    const svg = pen(
      "svg",
      {class: "w", viewBox: "0 0 340 172", role: "img", "aria-label": tr("sequence numbers of the %s over time", SIDES[side])},
      pen("path", {class: "w-ln w-th w-ld", d: "M58 8V150H330"}),
      lines,
      pen("text", {x: 54, y: 18, class: "w-d", "font-size": 11, "text-anchor": "end"}, grouped(top)),
      pen("text", {x: 54, y: 152, class: "w-d", "font-size": 11, "text-anchor": "end"}, "0"),
      pen("text", {x: 58, y: 166, class: "w-d", "font-size": 11}, `${timeWords(first)} ms`),
      pen("text", {x: 330, y: 166, class: "w-d", "font-size": 11, "text-anchor": "end"}, `${timeWords(last)} ms`)
    );
    svg.addEventListener("click", event => event.target.dataset.row && goTo(+event.target.dataset.row));
    parts.push(el("h3", {}, tr("the %s's numbers (bars), what the %s acknowledged (line)", SIDES[side], SIDES[1 - side])), svg);
  }
  return parts;
}

const PANELS = {why: tabWhy, call: tabCall, packet: tabPacket, steps: tabSteps, numbers: tabNumbers, connection: tabConnection};

function showTab() {
  for (const tab of TABS) {
    const button = $(`tab-${tab}`),
      selected = tab === at.tab;
    button.setAttribute("aria-selected", selected);
    button.tabIndex = selected ? 0 : -1;
  }
  $("panel").setAttribute("aria-labelledby", `tab-${at.tab}`);
  const asked = guess.on && guess.shown < at.step && at.tab !== "steps" && at.tab !== "connection";
  const parts = !at.story
    ? apartBlocks()
    : !at.story.rows.length
      ? tabConnection(at.story)
      : asked
        ? guessPanel()
        : PANELS[at.tab](at.story, at.story.rows[at.step]);
  $("panel").replaceChildren(...parts.filter(part => part));
  const now = $("panel").querySelector("tr.now");
  if (now) $("panel").scrollTop = now.offsetTop - $("panel").clientHeight / 3;
}

function chooseTab(tab) {
  at.tab = tab;
  showTab();
  writeAddress();
}
