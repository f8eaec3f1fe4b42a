"""What is said to whom and when (definitions), who is in it (enrolments), and what went over the wire (messages)."""

from sequences.models.definition import Edge, Sequence, Step, StepKind, Version
from sequences.models.enrollment import Enrollment, Execution, Task
from sequences.models.limit import Pace, Polling, SendEpoch, Spending, Switch, VoiceSlot
from sequences.models.message import Message, MessageState, ProviderEvent
from sequences.models.numbers import SequenceNumbers
from sequences.models.sender import Sender
from sequences.models.vitals import Tally, Vitals
from sequences.models.wakeup import Wakeup

__all__ = [
    "Edge",
    "Enrollment",
    "Execution",
    "Message",
    "MessageState",
    "Pace",
    "Polling",
    "ProviderEvent",
    "SendEpoch",
    "Sender",
    "Sequence",
    "SequenceNumbers",
    "Spending",
    "Step",
    "StepKind",
    "Switch",
    "Tally",
    "Task",
    "Version",
    "Vitals",
    "VoiceSlot",
    "Wakeup",
]
