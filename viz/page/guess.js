// Guessing: why, and the next state, are hidden until somebody asks; guesses are counted.
const guess = {on: false, shown: -1, right: 0, asked: 0, said: ""};
const CAUSE_WORDS = {
  call: "a program's call",
  segment: "the kernel, because a segment came",
  timer: "a timer of the kernel",
  exit: "a process ended",
  kernel: "the kernel, of itself",
  unknown: "nobody can know"
};
const STATE_NAMES = [
  "CLOSED",
  "LISTEN",
  "SYN_SENT",
  "SYN_RCVD",
  "ESTABLISHED",
  "FIN_WAIT_1",
  "FIN_WAIT_2",
  "CLOSE_WAIT",
  "CLOSING",
  "LAST_ACK",
  "TIME_WAIT"
];

function setGuess(on) {
  guess.on = on;
  guess.shown = on ? at.step - 1 : -1;
  guess.said = "";
  if (on) Object.assign(guess, {right: 0, asked: 0});
  $("guess").setAttribute("aria-pressed", on);
  if (at.story && at.story.rows.length) goTo(at.step);
}

// What a row asks: who made its segment, else which state comes; null: nothing.
function questionOf(row) {
  if (row.packet && row.kind !== "arrive")
    return {words: tr("Why was it sent?"), right: row.packet.cause, choices: Object.keys(CAUSE_WORDS), name: key => tr(CAUSE_WORDS[key])};
  if (row.states.length)
    return {words: tr("Which state does the %s enter?", SIDES[row.states[0].side]), right: row.states[0].name, choices: null, name: key => key};
  return null;
}

function reveal(words) {
  guess.said = words || "";
  guess.shown = Math.max(guess.shown, at.step);
  showStep(at.story.rows[at.step]);
  showTab();
  if (guess.said) $("panel").prepend(el("p", {class: "verdict"}, guess.said));
  say(`${guess.said} ${sentenceOf(at.story.rows[at.step], false)}`);
}
function answer(key) {
  const question = questionOf(at.story.rows[at.step]);
  if (!question || guess.shown >= at.step) return;
  const right = key.trim().toUpperCase().replace(/[- ]/g, "_") === question.right.toUpperCase();
  guess.asked++;
  if (right) guess.right++;
  reveal(`${right ? tr("Right.") : tr("No: %s.", question.name(question.right))} ${tr("%s of %s right.", guess.right, guess.asked)}`);
}

function guessPanel() {
  const row = at.story.rows[at.step],
    question = questionOf(row),
    parts = [el("h2", {}, ...spans(row.label))];
  if (question) parts.push(el("p", {class: "why"}, question.words));
  if (question && question.choices) {
    const choices = el("div", {class: "choices"});
    for (const key of question.choices) {
      const button = el("button", {type: "button", "data-guess": key}, question.name(key));
      button.addEventListener("click", () => answer(key));
      choices.append(button);
    }
    parts.push(choices);
  } else if (question) {
    const field = el("input", {list: "state-names", id: "state-guess", "aria-label": question.words, autocomplete: "off"}),
      form = el("form", {}, field, " ", el("button", {}, tr("guess")));
    form.addEventListener("submit", event => {
      event.preventDefault();
      if (field.value.trim()) answer(field.value);
    });
    parts.push(
      form,
      el("datalist", {id: "state-names"}, ...STATE_NAMES.map(name => el("option", {value: name}))),
      el("p", {class: "dim"}, tr("or click it in the figure"))
    );
  }
  const show = el("button", {type: "button", id: "show"}, question ? tr("show (Enter)") : tr("on (Enter)"));
  show.addEventListener("click", () => reveal(""));
  parts.push(
    el("p", {}, show),
    el("p", {class: "dim"}, guess.asked ? tr("%s of %s right so far", guess.right, guess.asked) : tr("Guess, or let it be shown."))
  );
  return parts;
}

// Hides the answers of this row in the drawing (-1: of none), and what comes behind `last`.
function hideAnswers(row, last) {
  const svg = at.drawn.drawing.svg;
  for (const element of svg.querySelectorAll(".w-hide")) element.classList.remove("w-hide");
  if (last !== Infinity)
    for (const element of svg.querySelectorAll("[data-row]")) if (+element.dataset.row > last) element.classList.add("w-hide");
  if (row < 0) return;
  for (const element of svg.querySelectorAll(`[data-row="${row}"]`))
    if (element.matches(".w-answer, .w-fc, .w-fs")) element.classList.add("w-hide");
}

function clickFigure(event) {
  const box = event.target.closest('g[id^="w-state-"]');
  if (box && guess.on && guess.shown < at.step) answer(box.id.replace("w-state-", "").replace("-end", ""));
}
