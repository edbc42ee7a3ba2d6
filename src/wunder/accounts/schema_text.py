"""The texts of a schema in the reader's language: `x-i18n` resolved by the server (pure)."""

from typing import Any

DEFAULT_LOCALE = "en"


def in_language(schema: Any, locale: str) -> Any:
    """Return a copy whose texts are those of `locale` where a node has them, without `x-i18n`.

    A node says `{"title": .., "x-i18n": {"zh-CN": {"title": ..}}}`. A locale matches exactly, then
    by its language; English is what stands in the schema itself.
    """
    if isinstance(schema, list):
        return [in_language(part, locale) for part in schema]
    if not isinstance(schema, dict):
        return schema
    texts = schema.get("x-i18n")
    if not isinstance(texts, dict):
        return {name: in_language(part, locale) for name, part in schema.items()}
    plain = {name: in_language(part, locale) for name, part in schema.items() if name != "x-i18n"}
    own = _texts(texts, locale)
    return {**plain, **{name: text for name, text in own.items() if _is_text(text)}}


def _texts(texts: dict[str, Any], locale: str) -> dict[str, Any]:
    wanted = locale.lower()
    language = wanted.partition("-")[0]
    if language == DEFAULT_LOCALE:
        return {}
    known = {str(name).lower(): part for name, part in texts.items() if isinstance(part, dict)}
    exact = known.get(wanted)
    if exact is not None:
        return exact
    near = [part for name, part in sorted(known.items()) if name.partition("-")[0] == language]
    return near[0] if near else {}


def _is_text(value: Any) -> bool:
    """Accept texts and lists of texts (`x-enum-titles`): a translation never changes what holds."""
    if isinstance(value, list):
        return all(isinstance(one, str) for one in value)
    return isinstance(value, str)
