"""Rebuilds an SVG from an allow-list of what draws.

No script, no event, no reference out of the file, no entity, no plug-in content. Labels stay as their programs
write them: as SVG text (Matplotlib, Graphviz) and as HTML in `foreignObject` (Mermaid), of which only harmless
elements are kept. What would make a small file enormous once drawn (`use` of `use` of `use`) is refused.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from lxml import etree  # type: ignore[import-untyped,unused-ignore]

from deepresearch.sandbox.content_css import harmless_css
from deepresearch.sandbox.content_raster import check_gif, check_jpeg, check_png, check_webp
from deepresearch.sandbox.content_refusal import Refused

SVG = "http://www.w3.org/2000/svg"
XHTML = "http://www.w3.org/1999/xhtml"
MATHML = "http://www.w3.org/1998/Math/MathML"
XLINK = "http://www.w3.org/1999/xlink"
XML = "http://www.w3.org/XML/1998/namespace"

_SVG_NAMES = """
    svg g defs symbol use a switch title desc style path rect circle ellipse line polyline polygon text
    tspan textPath image foreignObject clipPath mask marker pattern linearGradient radialGradient stop
    filter view feBlend feColorMatrix feComponentTransfer feComposite feConvolveMatrix feDiffuseLighting
    feDisplacementMap feDistantLight feDropShadow feFlood feFuncA feFuncB feFuncG feFuncR feGaussianBlur
    feMerge feMergeNode feMorphology feOffset fePointLight feSpecularLighting feSpotLight feTile
    feTurbulence animate animateMotion animateTransform mpath set
"""
_XHTML_NAMES = """
    div span p br hr b i em strong small s u code pre kbd samp sub sup ul ol li dl dt dd blockquote h1 h2 h3
    h4 h5 h6 table thead tbody tfoot tr td th caption section center a
"""
_MATHML_NAMES = """
    math semantics mrow mi mn mo ms mtext mspace mfrac msqrt mroot mstyle merror mpadded mphantom menclose
    msub msup msubsup munder mover munderover mmultiscripts mprescripts mtable mtr mtd
"""
_ELEMENTS = {
    SVG: frozenset(_SVG_NAMES.split()),
    XHTML: frozenset(_XHTML_NAMES.split()),
    MATHML: frozenset(_MATHML_NAMES.split()),
}
#: Attributes that point somewhere, whatever element carries them.
_POINTING_NAMES = """
    action background cite classid codebase data dynsrc formaction longdesc lowsrc manifest ping poster
    profile src srcdoc srcset target usemap xmlns
"""
_POINTING = frozenset(_POINTING_NAMES.split())
_ANIMATIONS = frozenset({"animate", "animateMotion", "animateTransform", "set"})
_LOCAL_REFERENCE = re.compile(r"\s*#[^\s\"'()\\]+\s*\Z")
_RASTER_ADDRESS = re.compile(r"\s*data:image/(png|jpe?g|gif|webp);base64,([A-Za-z0-9+/=\s]*)\Z")
_RASTER_CHECKS = {"png": check_png, "jpeg": check_jpeg, "jpg": check_jpeg, "gif": check_gif, "webp": check_webp}
_LENGTH = re.compile(r"\s*\+?(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)\s*(px|pt|pc|mm|cm|in|q)?\s*\Z", re.IGNORECASE)
_PIXELS = {"px": 1.0, "pt": 96 / 72, "pc": 16.0, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96.0, "q": 96 / 101.6}
_DECLARED = re.compile(r"\s*<\?xml\b[^>]*?encoding\s*=\s*[\"']([\w.-]+)[\"']")
#: Decoded already, so that what the declaration names no longer matters; but one that is not UTF-8 was lying.
_HONEST = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})
_MOST_ELEMENTS = 500_000
_MOST_DRAWN = 2_000_000


def sanitised_svg(text: str, largest_pixels: int) -> bytes:
    """The SVG rebuilt from what is allowed, as UTF-8 with an XML declaration.

    Raises `Refused` for what is no well-formed SVG, declares entities, or is a bomb.
    """
    root = _parsed(text)
    _refuse_size(root, largest_pixels)
    copy = _Copy(largest_pixels)
    clean = copy.of(root)
    _refuse_repetition(clean)
    etree.cleanup_namespaces(clean)
    cleaned: bytes = etree.tostring(clean, encoding="utf-8", xml_declaration=True)
    return cleaned


def _parsed(text: str) -> Any:
    declared = _DECLARED.match(text)
    if declared is not None and declared.group(1).lower() not in _HONEST:
        raise Refused(f"an SVG that says it is in {declared.group(1)} and is not")
    if "<!ENTITY" in text:
        raise Refused("an SVG with entities")
    if text.count("<") > 2 * _MOST_ELEMENTS:
        raise Refused(f"an SVG of more than {_MOST_ELEMENTS} elements")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        strip_cdata=True,
    )
    try:
        root = etree.fromstring(text.encode("utf-8"), parser)
    except (etree.XMLSyntaxError, ValueError) as broken:
        raise Refused("an SVG that is not well formed") from broken
    if root.tag != f"{{{SVG}}}svg":
        raise Refused("an SVG whose root is not an svg element")
    return root


def _refuse_size(root: Any, largest_pixels: int) -> None:
    sides = []
    for name in ("width", "height"):
        length = _LENGTH.match(root.get(name, ""))
        if length is None:
            return
        sides.append(float(length.group(1)) * _PIXELS[(length.group(2) or "px").lower()])
    if sides[0] * sides[1] > largest_pixels:
        raise Refused(
            f"a drawing of {sides[0]:.0f} by {sides[1]:.0f} pixels, over the limit of {largest_pixels} pixels"
        )


class _Copy:
    """Copies a tree, leaving out what is not allowed. Depth is bounded: the parser refuses trees over 256 deep."""

    def __init__(self, largest_pixels: int) -> None:
        self._pixels = largest_pixels

    def of(self, element: Any, parent: Any = None) -> Any:
        """The clean copy of an allowed element, appended to `parent`."""
        if parent is None:
            namespaces = {None: SVG, "xlink": XLINK}
            copy = etree.Element(element.tag, nsmap=namespaces)
        else:
            namespace = etree.QName(element).namespace
            copy = etree.SubElement(parent, element.tag, nsmap={None: namespace})
        local = etree.QName(element).localname
        for name, value in element.attrib.items():
            kept = self._attribute(local, name, value)
            if kept is not None:
                copy.set(name, kept)
        if local == "style":
            copy.text = harmless_css("".join(element.itertext()))
            return copy
        copy.text = element.text
        for child in element:
            if isinstance(child.tag, str) and _allowed(child):
                self.of(child, copy).tail = child.tail
            elif child.tail:
                _append_text(copy, child.tail)
        return copy

    def _attribute(self, element: str, name: str, value: str) -> str | None:
        qualified = etree.QName(name)
        local, namespace = qualified.localname, qualified.namespace
        lowered = local.lower()
        if lowered == "href":
            return self._reference(element, value) if namespace in (None, XLINK) else None
        if namespace == XML:
            return value if local in ("space", "lang") else None
        if namespace is not None or lowered.startswith("on") or lowered in _POINTING:
            return None
        return harmless_css(value)

    def _reference(self, element: str, value: str) -> str | None:
        if element == "image":
            return value if self._is_sound_raster(value) else None
        if element in _ANIMATIONS or not _LOCAL_REFERENCE.match(value):
            return None
        return value

    def _is_sound_raster(self, value: str) -> bool:
        address = _RASTER_ADDRESS.match(value)
        if address is None:
            return False
        try:
            content = base64.b64decode(address.group(2))
        except (binascii.Error, ValueError):
            return False
        try:
            _RASTER_CHECKS[address.group(1)](content, self._pixels)
        except Refused as refusal:
            if "limit" in refusal.reason:
                raise Refused(f"an SVG with {refusal.reason}") from refusal
            return False
        return True


def _append_text(copy: Any, text: str) -> None:
    """Keep the words behind an element that is left out."""
    if len(copy):
        copy[-1].tail = (copy[-1].tail or "") + text
    else:
        copy.text = (copy.text or "") + text


def _allowed(element: Any) -> bool:
    name = etree.QName(element)
    if name.localname not in _ELEMENTS.get(name.namespace, ()):
        return False
    if name.namespace == SVG and name.localname in _ANIMATIONS:
        target = element.get("attributeName", "").lower().rpartition(":")[2]
        return target != "href" and not target.startswith("on")
    parent = element.getparent()
    if name.namespace != SVG and parent is not None:
        # HTML and formulas draw only where a foreignObject makes room for them.
        return bool(parent.tag == f"{{{SVG}}}foreignObject" or etree.QName(parent).namespace != SVG)
    return True


def _refuse_repetition(root: Any) -> None:
    """Raise `Refused` when following every `use` would draw more elements than any reader survives."""
    by_id = {element.get("id"): element for element in root.iter() if element.get("id") is not None}
    uses = [element for element in root.iter(f"{{{SVG}}}use") if _target(element, by_id) is not None]
    if not uses:
        return
    drawn: dict[Any, int] = {}
    open_now: set[Any] = set()
    stack = [root]
    while stack:
        element = stack[-1]
        if element in drawn:
            stack.pop()
            continue
        needed = list(element)
        target = _target(element, by_id) if element.tag == f"{{{SVG}}}use" else None
        if target is not None:
            needed.append(target)
        if element not in open_now:
            open_now.add(element)
            waiting = [other for other in needed if other not in drawn and other not in open_now]
            if waiting:
                stack += waiting
                continue
        # What is still open here refers back to itself, which readers do not draw.
        drawn[element] = 1 + sum(drawn.get(other, 0) for other in needed)
        open_now.discard(element)
        stack.pop()
        if drawn[element] > _MOST_DRAWN:
            raise Refused(f"an SVG that draws more than {_MOST_DRAWN} elements by repeating itself")


def _target(use: Any, by_id: dict[str, Any]) -> Any:
    reference = use.get("href") or use.get(f"{{{XLINK}}}href") or ""
    return by_id.get(reference.strip().removeprefix("#"))
