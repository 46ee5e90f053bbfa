"""One billed call, described once for sync and async.

The description is a generator of steps. It decides everything and waits for
nothing: a driver (`_drive`) carries out each step and sends back what came of
it. There are three kinds:

* `Do` touches the store or the cache, `HangUp` ends a stream. A driver always
  finishes them and delivers their value, whatever is cancelled meanwhile.
* `AskModel` waits for a model, `OpenAnswer` for the first words of one and `Hear`
  for the next, `Wait` for another call that asks the same. Only here can a call be
  interrupted, and then the generator voids its hold like after any other error.
* `Show` gives a piece of an answer to the reader. One who stops here, or while
  the next piece is waited for, pays for what was shown.

So no timing of a cancel can leave a hold behind.

=========== ==============================================================
`steps`     what a call is given, and the steps it is made of
`play`      the course of a call: build, answer, book, receipt
`interview` one question: masked, repeated or asked, checked, restored
`account`   its money: hold, capture, void, replay
`progress`  what has happened so far: attempts, answers, their sums
`listening` an answer shown while a model writes it
`repeats`   what it repeats from the answer cache, and leaves there
`turns`     which of several calls that want one answer asks for it
`sharing`   which prompts may share answers between businesses
`telling`   what the hooks are told of it
`stored`    entries of the answer cache
`wording`   what is said to a model around the host's own words
=========== ==============================================================
"""

from ai_addons._call.leftovers import Leftovers
from ai_addons._call.play import Plan, billed_call, plan_call, quote_call, streamed_call
from ai_addons._call.steps import AskModel, Call, Do, HangUp, Hear, Kit, OpenAnswer, Show, Step, Wait

__all__ = [
    "AskModel",
    "Call",
    "Do",
    "HangUp",
    "Hear",
    "Kit",
    "Leftovers",
    "OpenAnswer",
    "Plan",
    "Show",
    "Step",
    "Wait",
    "billed_call",
    "plan_call",
    "quote_call",
    "streamed_call",
]
