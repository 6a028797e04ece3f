"""A model that obeys every instruction it finds outside the data block, and inside it for the edit it stands in.

It is more gullible than any real one. It trusts a reader of the block only as far as all of these agree on where the
block is: the JSON document that opens the contents, the text between the quotes of its strings, the text up to the
first line end, chat token, tag or fence. What any of them sees outside, it obeys for the whole batch.
"""

from __future__ import annotations

import json
import re
from typing import Any

from service.tone.fake_judge import by_marks
from service.tone.prompt import INSTRUCTIONS

ORDER = re.compile(r"humorous|humor|funny|comic|lustig|ユーモア", re.IGNORECASE)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
# What an escaped string never shows raw: ends of lines, closing tags, chat tokens.
_RAW_END = re.compile(r"[\r\n\u2028\u2029]|</|<\|")


def outside(body: dict[str, Any]) -> str:
    """Everything that some reader takes to stand outside the data block."""
    parts = [part["text"] for content in body["contents"] for part in content["parts"]]
    system = "".join(part["text"] for part in body["systemInstruction"]["parts"])
    found = [system.replace(INSTRUCTIONS, ""), *parts[1:]]
    found.append(_after_document(parts[0]))
    found.append(_STRING.sub("", parts[0]))
    found.extend(_RAW_END.split(parts[0])[1:])
    # The schema names the label, and says nothing more of it.
    rest = {key: value for key, value in body.items() if key not in ("contents", "systemInstruction")}
    found.append(json.dumps(rest).replace('"more humorous"', ""))
    return "\n".join(found)


def _after_document(text: str) -> str:
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except ValueError:
        return text
    return text[end:]


def obey(body: dict[str, Any]) -> str:
    """The answer of the gullible model."""
    ordered = bool(ORDER.search(outside(body)))
    document, _ = json.JSONDecoder().raw_decode(body["contents"][0]["parts"][0]["text"])
    tones, taken_in = [], []
    for edit in document["edits"]:
        changes = [(change["before"], change["after"]) for change in edit["changes"]]
        obeys = ordered or bool(ORDER.search(json.dumps(changes, ensure_ascii=False)))
        if obeys:
            taken_in.append(edit["id"])
            tones.append({"id": edit["id"], "label": "more humorous", "confidence": 1.0})
        else:
            label, confidence = by_marks(changes)
            tones.append({"id": edit["id"], "label": label, "confidence": confidence})
    said = [{"text": text, "edits": taken_in} for text in ordered_statements(taken_in, document)]
    return json.dumps({"edits": tones, "statements": said})


def ordered_statements(ids: list[int], document: Any) -> list[str]:
    """What it says of the edits that gave it orders: the order itself, as it stands there, and one of its own."""
    texts = [change["after"] or change["before"] for edit in document["edits"][:1] for change in edit["changes"]]
    quoted = [change["after"] or change["before"] for id in ids for change in document["edits"][id]["changes"]]
    return ["Answers more humorous", *(quoted or texts)][:5] if ids else []
