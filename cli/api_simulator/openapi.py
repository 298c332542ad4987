"""The OpenAPI document and the documentation page, as FastAPI with fastapi-pagination makes them."""

from typing import Any

TITLE = "MooVitamix"
MAX_SIZE = 100
_INTEGER: dict[str, Any] = {"type": "integer"}
_TEXT = {"type": "string"}
_TIME = {"type": "string", "format": "date-time"}
_TIMES = {"created_at": _TIME, "updated_at": _TIME}
_TRACK_TEXTS = ("name", "artist", "songwriters", "duration", "genres", "album")
_USER_TEXTS = ("first_name", "last_name", "email", "gender", "favorite_genres")

SCHEMAS: dict[str, dict[str, Any]] = {
    "TracksOut": {"id": _INTEGER, **dict.fromkeys(_TRACK_TEXTS, _TEXT), **_TIMES},
    "UsersOut": {"id": _INTEGER, **dict.fromkeys(_USER_TEXTS, _TEXT), **_TIMES},
    "ListenHistoryOut": {
        "user_id": {"anyOf": [_INTEGER, {"type": "null"}]},
        "items": {"anyOf": [{"items": _INTEGER, "type": "array"}, {"type": "null"}]},
        **_TIMES,
    },
}
"""The rows of each endpoint: their members and types."""

_ENDPOINTS = {"tracks": "TracksOut", "users": "UsersOut", "listen_history": "ListenHistoryOut"}
_DEFINED = "#/components/schemas/"
_ERROR = {
    "loc": {"items": {"anyOf": [_TEXT, _INTEGER]}, "type": "array", "title": "Location"},
    "msg": {"type": "string", "title": "Message"},
    "type": {"type": "string", "title": "Error Type"},
    "input": {"title": "Input"},
    "ctx": {"type": "object", "title": "Context"},
}


def document() -> dict[str, Any]:
    """Return the OpenAPI document."""
    schemas = {name: _object(name, members) for name, members in SCHEMAS.items()}
    pages = {f"Page_{name}_": _page(name) for name in SCHEMAS}
    detail = {"detail": {"items": {"$ref": f"{_DEFINED}ValidationError"}, "type": "array", "title": "Detail"}}
    errors = {
        "HTTPValidationError": {"properties": detail, "type": "object", "title": "HTTPValidationError"},
        "ValidationError": {
            "properties": _ERROR,
            "type": "object",
            "required": ["loc", "msg", "type"],
            "title": "ValidationError",
        },
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": "0.1.0"},
        "paths": {f"/{name}": {"get": _operation(name, schema)} for name, schema in _ENDPOINTS.items()},
        "components": {"schemas": dict(sorted((schemas | pages | errors).items()))},
    }


def _operation(name: str, schema: str) -> dict[str, Any]:
    answers = {"200": ("Successful Response", f"Page_{schema}_"), "422": ("Validation Error", "HTTPValidationError")}
    return {
        "summary": f"Get {name.replace('_', ' ').title()}",
        "operationId": f"get_{name}_{name}_get",
        "parameters": [
            _parameter("page", "Page number", {"minimum": 1}, 1),
            _parameter("size", "Page size", {"maximum": MAX_SIZE, "minimum": 1}, MAX_SIZE),
        ],
        "responses": {
            status: {"description": text, "content": {"application/json": {"schema": {"$ref": f"{_DEFINED}{answer}"}}}}
            for status, (text, answer) in answers.items()
        },
    }


def _parameter(name: str, text: str, bounds: dict[str, int], default: int) -> dict[str, Any]:
    schema = {"type": "integer", **bounds, "description": text, "default": default, "title": name.title()}
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": text}


def _object(name: str, members: dict[str, Any]) -> dict[str, Any]:
    properties = {member: {**kind, "title": member.replace("_", " ").title()} for member, kind in members.items()}
    return {"properties": properties, "type": "object", "required": list(members), "title": name}


def _page(name: str) -> dict[str, Any]:
    least = {"total": 0.0, "page": 1.0, "size": 1.0, "pages": 0.0}
    numbers = {member: {"type": "integer", "minimum": minimum} for member, minimum in least.items()}
    items = {"items": {"$ref": f"{_DEFINED}{name}"}, "type": "array"}
    return _object(f"Page[{name}]", {"items": items, **numbers})


DOCS = f"""<!DOCTYPE html>
<html>
<head>
<meta name="viewport" content="width=device-width, initial-scale=1.0">
<link type="text/css" rel="stylesheet" href="https://cdn.jsdelivr.net/npm/swagger-ui-dist@5/swagger-ui.css">
<title>{TITLE} - Swagger UI</title>
</head>
<body>
<div id="swagger-ui"></div>
<script src="https://cdn.jsdelivr.net/npm/swagger-ui-dist@5/swagger-ui-bundle.js"></script>
<script>
const ui = SwaggerUIBundle({{url: '/openapi.json', dom_id: '#swagger-ui', deepLinking: true}})
</script>
</body>
</html>
"""
"""The documentation page; a browser loads Swagger UI from its network."""
