"""Markdown to HTML that a page may show: no raw HTML, no images, no scripts, links to nowhere but the web.

An inline code that is exactly a label (`NEW`, `ESTABLISHED` ...) becomes a chip of that label.
"""

from __future__ import annotations

import re
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML

_WEB = re.compile(r"https?://[\w.-]+", re.ASCII | re.IGNORECASE)
LABELS = {"NEW": "●", "ESTABLISHED": "⇄", "RELATED": "◆", "INVALID": "▲", "UNTRACKED": "○"}


class _Renderer(RendererHTML):
    def link_open(self, tokens: Any, idx: int, options: Any, env: Any) -> str:
        tokens[idx].attrSet("rel", "noopener noreferrer")
        tokens[idx].attrSet("target", "_blank")
        return str(self.renderToken(tokens, idx, options, env))

    def code_inline(self, tokens: Any, idx: int, options: Any, env: Any) -> str:
        word = tokens[idx].content
        if word in LABELS:
            return f'<span class="chip {word}"><span aria-hidden="true">{LABELS[word]}</span> {word}</span>'
        return f"<code>{escape(word)}</code>"


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}, renderer_cls=_Renderer).enable("table").disable("image")
    parser.validateLink = lambda url: bool(_WEB.match(url))  # type: ignore[method-assign]
    return parser


PARSER = _parser()


def html(markdown: str) -> str:
    """The HTML of some Markdown: paragraphs, lists, tables, code."""
    return str(PARSER.render(markdown)).strip()


def inline(markdown: str) -> str:
    """The HTML of a phrase, without a paragraph around it."""
    return str(PARSER.renderInline(markdown)).strip()
