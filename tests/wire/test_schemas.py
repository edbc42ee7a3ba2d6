"""Schema and codec say the same, and the files are what the dataclasses say."""

import contextlib
import json

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wire.documents import documents
from wunder_wire import codec, errors, fast, message, methods, schemas

SHAPES = sorted(
    {
        shape
        for pair in (*methods.HOST_TO_PLUGIN.values(), *methods.PLUGIN_TO_HOST.values())
        for shape in pair
    }
    | set(methods.NOTIFICATIONS.values())
    | {message.ChannelMessage, message.OutboundMessage, message.Receipt, errors.ErrorObject},
    key=lambda shape: shape.__name__,
)
VALIDATORS = {
    shape: jsonschema_rs.validator_for(schemas.schema_of(shape, shape.__name__)) for shape in SHAPES
}


def verdict(engine, shape, document):
    with contextlib.suppress(codec.DecodeError):
        return engine.decode(shape, json.dumps(document).encode())
    return None


def test_the_files_are_fresh():
    found = {path.name: path.read_text("utf-8") for path in schemas.FOLDER.glob("*.schema.json")}

    wanted = {name: schemas.text_of(schema) for name, schema in schemas.all_schemas().items()}
    assert found == wanted, "run: python -m wunder_wire.schemas"


def test_schemas_refer_to_nothing_outside_themselves():
    for name, schema in schemas.all_schemas().items():
        refs = [part.split('"')[0] for part in json.dumps(schema).split('"$ref": "')[1:]]
        assert all(ref.startswith("#/$defs/") for ref in refs), name


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_schema_and_both_engines_accept_the_same_documents_and_read_the_same(shape):
    @settings(max_examples=25, deadline=None)
    @given(st.data())
    def check(data):
        document = data.draw(documents(shape))
        plain = verdict(codec.STDLIB, shape, document)
        assert VALIDATORS[shape].is_valid(document) == (plain is not None)
        assert verdict(fast.ENGINE, shape, document) == plain

    check()


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_what_is_encoded_decodes_to_the_same(shape):
    @settings(max_examples=25, deadline=None)
    @given(st.data())
    def check(data):
        value = codec.from_json(shape, data.draw(documents(shape, wrong=0)))
        line = codec.encode(value)
        assert b"\n" not in line
        assert codec.decode(shape, line) == value
        assert fast.ENGINE.decode(shape, line) == value
        assert VALIDATORS[shape].is_valid(json.loads(line))

    check()
