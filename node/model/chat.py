"""Where a user's message goes in what a model was trained to read: its chat template, rendered once with a placeholder.

The message itself never passes through the template engine, so nothing in it can be taken for template code, and the
tokenizer can be told which part is the template's and which is the message (see llamacpp/vocabulary.py).
"""

from datetime import datetime

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

RENDERED_LENGTH_MAX = 65_536
_PLACEHOLDER = "\ue000message\ue001"  # private use: no template writes it


def around_message(template: str, bos: str, eos: str) -> tuple[str, ...]:
    """Render the template for one user message and return what stands around it.

    Args:
        template: Jinja source, as GGUF's tokenizer.chat_template holds it.
        bos: text of the token that begins a sequence.
        eos: text of the token that ends one.
    Returns:
        Two or more pieces; the message belongs between each two.
    Raises:
        ValueError: the template is broken, leaves the message out or writes too much. The message says which.
    """

    def refuse(reason: str) -> str:
        raise ValueError(reason)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    try:
        rendered = environment.from_string(template).render(
            messages=[{"role": "user", "content": _PLACEHOLDER}],
            add_generation_prompt=True,
            enable_thinking=False,  # models that can think aloud would spend the answer's tokens on it
            bos_token=bos,
            eos_token=eos,
            raise_exception=refuse,
            strftime_now=lambda form: datetime.now().strftime(form),
        )
    except (TemplateError, TypeError, ArithmeticError, LookupError, AttributeError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from None
    if len(rendered) > RENDERED_LENGTH_MAX:
        raise ValueError(f"it writes {len(rendered)} characters around a message")
    pieces = tuple(rendered.split(_PLACEHOLDER))
    if len(pieces) < 2:
        raise ValueError("it leaves the message out")
    return pieces
