"""What stands around a message, for the templates that models come with."""

import pytest

from node.model.chat import around_message

CHATML = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + "
    "'\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
LLAMA_3 = (
    "{% set loop_messages = messages %}{% for message in loop_messages %}"
    "{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim"
    " + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)


@pytest.mark.parametrize(
    ("template", "pieces"),
    [
        pytest.param("{{ messages[0]['content'] }}\n\n", ("", "\n"), id="only the newline is trimmed, as Jinja does"),
        pytest.param("{{ messages[0].content + '\n' }}", ("", "\n"), id="a character model's"),
        pytest.param("{% for m in messages %}{{ m['content'] }}\n{% endfor %}", ("", "\n"), id="the same in a loop"),
        pytest.param(CHATML, ("<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n"), id="ChatML"),
        pytest.param(
            LLAMA_3,
            (
                "<s><|start_header_id|>user<|end_header_id|>\n\n",
                "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
            ),
            id="Llama 3",
        ),
        pytest.param("{{ messages[0].content }} again: {{ messages[0].content }}", ("", " again: ", ""), id="twice"),
        pytest.param("{{ messages[0].content }}{% if enable_thinking %}<think>{% endif %}", ("", ""), id="no thinking"),
    ],
)
def test_around_message(template: str, pieces: tuple[str, ...]) -> None:
    assert around_message(template, "<s>", "</s>") == pieces


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        pytest.param("Hello!", "leaves the message out", id="no message"),
        pytest.param("{% if %}", "TemplateSyntaxError", id="syntax"),
        pytest.param("{{ raise_exception('no') }}", "no", id="refuses"),
        pytest.param("{{ messages[1].content }}", "UndefinedError", id="wants two messages"),
        pytest.param("{{ messages[0].content }}{{ 'x' * 70000 }}", "70000|7\\d{4}", id="writes too much"),
        pytest.param("{{ ''.__class__.__mro__ }}", "SecurityError|leaves", id="reaches for the interpreter"),
        pytest.param("{{ messages.append(1) }}", "SecurityError", id="changes what it was given"),
        pytest.param("{% for i in range(1000000) %}{% endfor %}", "OverflowError", id="loops for long"),
        pytest.param("{{ 1 / 0 }}", "ZeroDivisionError", id="divides by zero"),
    ],
)
def test_a_template_that_cannot_be_used_says_why(template: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        around_message(template, "<s>", "</s>")
