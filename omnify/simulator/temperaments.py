"""How people behave: one row each. A table, not code, so that a new kind of person is a new row."""

from dataclasses import dataclass, field

# Outcomes of a call; the ended reason is VAPI's word for it.
NO_ANSWER, BUSY_LINE, VOICEMAIL = "customer-did-not-answer", "customer-busy", "voicemail"
HUNG_UP, MISDIALED = "customer-ended-call", "twilio-reported-customer-misdialed"


@dataclass(frozen=True)
class Temperament:
    """What one kind of person does with a text, a mail and a ringing phone.

    texts/mails: what they may answer ("" = nothing), chosen by the person's address and how often they have answered.
    turns: what they say on the phone, one entry per turn; the call's end is `ended`.
    """

    texts: tuple[str, ...] = ()
    mails: tuple[str, ...] = ()
    turns: tuple[str, ...] = ("Hello?", "Okay. Could you send me the details? I have to go now, bye.")
    ended: str = HUNG_UP
    answers_at_most: int = 3  # two machines that answer each other must stop somewhere
    sms_error: str = ""  # Twilio error code of a text that is accepted and then not delivered
    sms_refusal: str = ""  # Twilio error code of a text that is not accepted
    smtp_refusal: str = ""  # an SMTP server's line for this recipient
    mail_events: tuple[str, ...] = field(
        default=()
    )  # Postmark record types after Delivery; "Bounce:<Type>" instead of it
    line_type: str = "mobile"


TEMPERAMENTS: dict[str, Temperament] = {
    "manual": Temperament(),
    "silent": Temperament(
        turns=("The person you are calling is not available. Please leave a message.",), ended=VOICEMAIL
    ),
    "friendly": Temperament(
        texts=("sounds good, how much?", "Nice! When could we talk about it?", "yes please, tell me more"),
        mails=("Sounds good, how much would it be for us?", "Thanks for writing. When could we talk about it?"),
        turns=("Hi, yes, this is a good time.", "Sounds good. How much is it?", "Great, send me the offer. Bye!"),
        mail_events=("Open",),
    ),
    "busy": Temperament(
        texts=("can't talk now, try me next week?", "in a meeting, maybe tomorrow afternoon"),
        mails=("This week is full. Could we look at it next Tuesday instead?",),
        turns=("Hello?", "I'm driving, can you call me back tomorrow afternoon?", "Thanks, bye."),
        mail_events=("Open",),
    ),
    "angry": Temperament(
        texts=("who gave you my number??", "this is the third message today. really annoying"),
        mails=("I never asked for this. Where did you get my address from?",),
        turns=("Who is this?", "You people again! I told you I'm not interested.", "Stop wasting my time."),
        mail_events=("Open",),
    ),
    "stopper": Temperament(
        texts=("please stop texting me",),
        mails=("Please take me off your list.",),
        turns=("Hello?", "Please don't call me again. Take me off your list."),
        answers_at_most=1,
    ),
    "talkative": Temperament(
        texts=("oh hi! funny, we were just talking about that at work. what does it do exactly?",),
        turns=(
            "Hello, who's calling?",
            "Oh, interesting! We have been looking for something like that since spring.",
            "There are about forty of us, most of them out in the field.",
            "The last tool was fine but the price doubled. What does yours cost?",
            "That could work. Would Thursday at ten suit you for a demo?",
            "Perfect, talk to you then. Bye!",
        ),
    ),
    "no_answer": Temperament(turns=(), ended=NO_ANSWER),
    "busy_line": Temperament(turns=(), ended=BUSY_LINE),
    "voicemail": Temperament(turns=("Hi, I can't take your call. Leave a message after the tone.",), ended=VOICEMAIL),
    "hangs_up": Temperament(turns=("",)),
    "wrong_number": Temperament(turns=(), ended=MISDIALED, sms_error="30005"),
    "landline": Temperament(sms_refusal="21614", line_type="landline"),
    "unreachable": Temperament(sms_error="30003", turns=(), ended=NO_ANSWER),
    "filtered": Temperament(sms_error="30007"),
    "bounce": Temperament(smtp_refusal="550 5.1.1 No such user here", mail_events=("Bounce:HardBounce",)),
    "soft_bounce": Temperament(smtp_refusal="452 4.2.2 Mailbox full", mail_events=("Bounce:SoftBounce",)),
    "late_bounce": Temperament(mail_events=("Bounce:HardBounce",)),
    "auto_reply": Temperament(
        mails=("I am out of the office until Monday and will read your message then.",), answers_at_most=1
    ),
    "opener": Temperament(mail_events=("Open",)),
    "clicker": Temperament(mail_events=("Open", "Click")),
    "complainer": Temperament(mail_events=("SpamComplaint",)),
    "unsubscriber": Temperament(mail_events=("SubscriptionChange",)),
}
