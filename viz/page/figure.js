// Figure 5 of RFC 9293: where both ends are, and the arrow just taken. The drawing is the program's; here it is lit.
const MARKS = [() => pen("circle", {class: "w-c w-mark", r: 6}), () => pen("path", {class: "w-s w-mark", d: "M0 -7l7 7l-7 7l-7 -7z"})];

// CLOSED stands twice: where all begins, and at its end. The arrows 2 and 4 lead back to the first.
function boxOf(story, step, side) {
  let box = story.first[side],
    moved = false;
  for (let i = 0; i <= step; i++)
    for (const state of story.rows[i].states) {
      if (state.side !== side) continue;
      moved = true;
      box = state.name === "CLOSED" && state.arrow !== 2 && state.arrow !== 4 ? "CLOSED-end" : state.name;
    }
  return {box, moved};
}

function lightFigure(story, step, hidden) {
  const figure = $("figure");
  for (const mark of figure.querySelectorAll(".w-mark")) mark.remove();
  for (const lit of figure.querySelectorAll(".is-c, .is-s, .took-c, .took-s")) lit.classList.remove("is-c", "is-s", "took-c", "took-s");
  const now = [];
  for (const side of [0, 1]) {
    const {box} = boxOf(story, hidden ? step - 1 : step, side),
      group = document.getElementById(`w-state-${box}`);
    if (!group) continue;
    now.push(`${SIDES[side]} ${box.replace("-end", "")}`);
    group.classList.add(side ? "is-s" : "is-c");
    const rect = group.querySelector("rect"),
      mark = MARKS[side](),
      x = +rect.getAttribute("x"),
      width = +rect.getAttribute("width");
    mark.setAttribute("transform", `translate(${side ? x + width - 10 : x + 10} ${rect.getAttribute("y")})`);
    group.append(mark);
  }
  if (!hidden)
    for (const state of story.rows[step].states) {
      const arrow = state.arrow && document.getElementById(`w-arrow-${state.arrow}`);
      if (arrow) arrow.classList.add(state.side ? "took-s" : "took-c");
    }
  $("now").textContent = now.join(", ");
}
