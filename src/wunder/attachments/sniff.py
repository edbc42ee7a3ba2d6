"""What a file is, from its first bytes: a name or a platform's word proves nothing (pure)."""

#: Shown inside a page, everything else is offered as a download (security rule 3).
SHOWABLE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
#: How many bytes `sniffed` looks at.
HEAD_BYTES = 64

#: Source: https://mimesniff.spec.whatwg.org/ section 6, and the formats' own documents.
_STARTS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"%PDF-", "application/pdf"),
    (b"OggS", "audio/ogg"),
    (b"#!AMR", "audio/amr"),
    (b"#!SILK_V3", "audio/silk"),
    (b"\x02#!SILK_V3", "audio/silk"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"\x1a\x45\xdf\xa3", "video/webm"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/avi"}
_AUDIO_BRANDS = (b"M4A ", b"M4B ")
_IMAGE_BRANDS = (b"heic", b"heix", b"mif1", b"avif")
#: Offices and e-books are zips: their claim names the kind, the bytes confirm the container.
_ZIPPED = ("application/vnd.", "application/epub", "application/java-archive")


def sniffed(head: bytes) -> str:
    """Return the media type that the first bytes show, "" where they show none."""
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12], "")
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand in _IMAGE_BRANDS:
            return "image/avif" if brand == b"avif" else "image/heic"
        return "audio/mp4" if brand in _AUDIO_BRANDS else "video/mp4"
    return next((mime for start, mime in _STARTS if head.startswith(start)), "")


def media_type(head: bytes, claimed: str) -> str:
    """Return what to call a file: by its bytes, else by the claim where bytes cannot contradict it."""
    found = sniffed(head)
    bare = claimed.partition(";")[0].strip().lower()
    if found == "application/zip" and bare.startswith(_ZIPPED):
        return bare
    if found:
        return found
    is_plain = len(bare) <= 100 and bare.count("/") == 1 and bare.isascii() and bare.isprintable()
    # A claimed image that is none must not be shown as one.
    return bare if is_plain and " " not in bare and bare not in SHOWABLE else ""


def safe_name(name: str) -> str:
    """Return a file name for people: no folders, no control characters, at most 200 characters."""
    last = name.replace("\\", "/").rpartition("/")[2]
    shown = "".join(one if one.isprintable() else "_" for one in last).strip(" .")
    return shown[-200:]
