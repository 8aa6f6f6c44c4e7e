"""JSON bodies that a handler reads raw, so that our own words say what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import msgspec
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIType

from sleevenotes import errors

TEXT, WHOLE, FLAG, LIST = OpenAPIType.STRING, OpenAPIType.INTEGER, OpenAPIType.BOOLEAN, OpenAPIType.ARRAY

T = TypeVar("T")


def documented(**fields: OpenAPIType) -> type[Operation]:
    """Return an operation that describes a body of these fields."""

    @dataclass
    class Described(Operation):
        def __post_init__(self) -> None:
            shape = Schema(
                type=OpenAPIType.OBJECT, properties={name: Schema(type=kind) for name, kind in fields.items()}
            )
            self.request_body = RequestBody(content={"application/json": OpenAPIMediaType(schema=shape)}, required=True)

    return Described


def read(body: bytes, shape: type[T]) -> T:
    """Read a body. Raises errors.Refused that says which field is wrong."""
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        said, _, path = str(error).partition(" - at `$.")
        raise errors.Refused(f"{path.strip('`') or 'The document'}: {said}", field=path.strip("`")) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise errors.Refused(f"The document is no JSON: {error}") from None
