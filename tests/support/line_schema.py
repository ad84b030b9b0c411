"""docs/event-lines.schema.json as a validator that is quick enough for every line of every run that a test looks at.

The schema says "exactly one of these kinds of line", and each kind fixes `type` to a word of its own. So only the kinds of a line's own type can
match it: holding it to those gives the same answer as holding it to all, for a twentieth of the work. That the schema is such is looked at first.
"""

import json

import jsonschema


class LineSchema:
    """`is_valid` and `iter_errors` of a jsonschema validator, for event lines."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.schema = json.load(file)
        jsonschema.Draft7Validator.check_schema(self.schema)
        self.whole = jsonschema.Draft7Validator(self.schema)
        kinds = {}
        for kind in self.schema["oneOf"]:
            kinds.setdefault(self._type_of(kind["$ref"]), []).append(kind)
        rest = {key: value for key, value in self.schema.items() if key != "oneOf"}
        self.kinds = {word: jsonschema.Draft7Validator({**rest, **(some[0] if len(some) == 1 else {"oneOf": some})}) for word, some in kinds.items()}

    def _type_of(self, reference):
        """The one word that `type` may be in a line of this kind."""
        kind = self.schema["definitions"][reference.removeprefix("#/definitions/")]
        if kind["type"] != "object" or "type" not in kind["required"] or list(kind["properties"]["type"]) != ["const"]:
            raise ValueError(f"{reference} does not fix the type of its lines: all kinds would have to be tried")
        return kind["properties"]["type"]["const"]

    def _for(self, line):
        word = line.get("type") if isinstance(line, dict) else None
        return self.kinds.get(word, self.whole) if isinstance(word, str) else self.whole

    def is_valid(self, line):
        return self._for(line).is_valid(line)

    def iter_errors(self, line):
        return self._for(line).iter_errors(line)
