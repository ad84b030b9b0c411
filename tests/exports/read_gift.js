// Reads GIFT from standard input with gift-pegjs (npm; tests/npm) and prints what it found as JSON.
const path = require("path");
const { parse } = require(path.join(__dirname, "..", "npm", "node_modules", "gift-pegjs"));
const plain = text => (text ? text.text : null);
const found = parse(require("fs").readFileSync(0, "utf8")).map(question => ({
  type: question.type,
  title: question.title,
  stem: plain(question.stem),
  feedback: plain(question.globalFeedback),
  choices: Array.isArray(question.choices)
    ? question.choices.map(choice => ({ right: choice.isCorrect, text: plain(choice.text), number: choice.text && choice.text.number }))
    : question.choices,
}));
process.stdout.write(JSON.stringify(found));
