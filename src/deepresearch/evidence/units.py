"""Units of measure, money and shares: how they are written, and how one becomes another.

A unit is kept as an expression that `pint` reads (``GWh``, ``EUR/MWh``, ``metric_ton``), with ``percent``,
``percentage_point`` and ``basis_point`` as three things of their own. Currencies are never changed into
each other.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from deepresearch.evidence.words import word_set

if TYPE_CHECKING:
    from pint import UnitRegistry

PERCENT = "percent"
POINT = "percentage_point"
BASIS_POINT = "basis_point"

_CURRENCIES = sorted(
    word_set("""
        USD EUR GBP JPY CHF CNY INR AUD CAD NZD SEK NOK DKK PLN CZK HUF RON BGN TRY RUB UAH BRL MXN ZAR KRW
    SGD HKD ILS AED SAR THB IDR MYR PHP VND EGP NGN KES ARS CLP COP PEN ISK""")
)
_CURRENCY_SIGNS = {
    "US$": "USD",
    "A$": "AUD",
    "AU$": "AUD",
    "C$": "CAD",
    "CA$": "CAD",
    "NZ$": "NZD",
    "HK$": "HKD",
    "S$": "SGD",
    "R$": "BRL",
    "$": "USD",
    "€": "EUR",
    "£": "GBP",
    "¥": "JPY",
    "₹": "INR",
    "₩": "KRW",
    "₽": "RUB",
    "₺": "TRY",
    "₪": "ILS",
    "₴": "UAH",
    "zł": "PLN",
    "Kč": "CZK",
    "Fr.": "CHF",
    "SFr.": "CHF",
    "Rs.": "INR",
}
_CURRENCY_WORDS = {
    "EUR": "euro euros",
    "USD": "dollar dollars us-dollar us-dollars",
    "GBP": "sterling",
    "JPY": "yen",
    "CHF": "franken",
    "INR": "rupee rupees",
    "CNY": "yuan renminbi",
    "PLN": "zloty zlotys",
    "SEK": "kronor",
    "DKK": "kroner",
    "RUB": "rouble roubles ruble rubles",
    "KRW": "won",
}

# Symbols are read with their case, words without.
_SYMBOLS: dict[str, str] = {
    **{
        symbol: symbol
        for symbol in word_set(
            "km cm mm nm mi ft yd kg mg lb oz kW MW GW TW Wh kWh MWh GWh TWh kJ MJ GJ TJ PJ ml hl ha"
        )
    },
    **{
        symbol: symbol
        for symbol in word_set("kPa hPa MPa kV Hz kHz MHz GHz THz kB MB GB TB PB kcal dB mmol mol kVA MVA mAh")
    },
    "m": "m",
    "g": "g",
    "t": "metric_ton",
    "kt": "kilometric_ton",
    "Mt": "megametric_ton",
    "Gt": "gigametric_ton",
    "W": "W",
    "l": "liter",
    "L": "liter",
    "h": "hour",
    "hrs": "hour",
    "hr": "hour",
    "min": "minute",
    "ms": "ms",
    "µs": "us",
    "μs": "us",
    "µm": "um",
    "μm": "um",
    "µg": "ug",
    "μg": "ug",
    "lbs": "lb",
    "ft²": "ft**2",
    "sq ft": "ft**2",
    "sqft": "ft**2",
    "km²": "km**2",
    "km2": "km**2",
    "m²": "m**2",
    "m2": "m**2",
    "sqm": "m**2",
    "qm": "m**2",
    "cm²": "cm**2",
    "m³": "m**3",
    "m3": "m**3",
    "cm³": "cm**3",
    "cm3": "cm**3",
    "Nm³": "m**3",
    "°C": "degC",
    "° C": "degC",
    "ºC": "degC",
    "°F": "degF",
    "K": "kelvin",
    "V": "V",
    "A": "A",
    "bar": "bar",
    "mbar": "millibar",
    "Pa": "Pa",
    "KB": "kB",
    "Mbit": "megabit",
    "Gbit": "gigabit",
    "kbit": "kilobit",
    "Mbps": "megabit/second",
    "Gbps": "gigabit/second",
    "ppm": "ppm",
    "ppb": "ppb",
    "km/h": "km/hour",
    "kmh": "km/hour",
    "mph": "mile/hour",
    "m/s": "m/second",
    "rpm": "rpm",
    "tCO2e": "metric_ton",
    "tCO2": "metric_ton",
    "tCO₂e": "metric_ton",
    "tCO₂": "metric_ton",
    "kWp": "kW",
    "MWp": "MW",
    "GWp": "GW",
    "ktCO2e": "kilometric_ton",
    "MtCO2e": "megametric_ton",
    "GtCO2e": "gigametric_ton",
    "GtCO2": "gigametric_ton",
    "MtCO2": "megametric_ton",
    "kgCO2e": "kg",
    "mio.": "",
}
_SYMBOLS.pop("mio.")
_WORDS: dict[str, str] = {}
for _unit, _names in {
    PERCENT: "percent|per cent|pct|pct.|prozent|pour cent|por ciento|per cento|procent",
    POINT: "percentage points|percentage point|percentage-point|pp|p.p.|ppt|ppts|prozentpunkte|"
    "prozentpunkten|prozentpunkt|"
    "points de pourcentage|point de pourcentage|puntos porcentuales|%-points|% points|%-punkte|procentpoint",
    BASIS_POINT: "basis points|basis point|bps|bp|basispunkte",
    "metric_ton": "tonnes|tonne|metric tons|metric ton|tons|ton|tonnen|toneladas",
    "megametric_ton": "megatonnes|megatonne|megatons",
    "kilometric_ton": "kilotonnes|kilotonne|kilotons",
    "gigametric_ton": "gigatonnes|gigatons",
    "kg": "kilograms|kilogram|kilogrammes|kilos|kilo|kilogramm",
    "g": "grams|gram|grammes|gramm",
    "mg": "milligrams|milligram|milligramm",
    "ug": "micrograms|microgram",
    "lb": "pounds|pound",
    "oz": "ounces|ounce",
    "km": "kilometres|kilometre|kilometers|kilometer",
    "m": "metres|metre|meters|meter|mètres",
    "cm": "centimetres|centimetre|centimeters|centimeter|zentimeter",
    "mm": "millimetres|millimetre|millimeters|millimeter",
    "mile": "miles|mile|meilen",
    "ft": "feet|foot",
    "inch": "inches|inch",
    "yard": "yards|yard",
    "ha": "hectares|hectare|hektar",
    "acre": "acres|acre",
    "km**2": "square kilometres|square kilometers|square kilometre|quadratkilometer",
    "m**2": "square metres|square meters|square metre|square meter|quadratmeter|mètres carrés",
    "mile**2": "square miles",
    "ft**2": "square feet|square foot",
    "m**3": "cubic metres|cubic meters|cubic metre|kubikmeter|mètres cubes",
    "liter": "litres|litre|liters|liter",
    "ml": "millilitres|milliliters",
    "gallon": "gallons|gallon",
    "oil_barrel": "barrels|barrel",
    "W": "watts|watt",
    "kW": "kilowatts|kilowatt",
    "MW": "megawatts|megawatt",
    "GW": "gigawatts|gigawatt",
    "TW": "terawatts|terawatt",
    "kWh": "kilowatt-hours|kilowatt hours|kilowatthours|kilowattstunden|kilowatt-hour",
    "MWh": "megawatt-hours|megawatt hours|megawatthours|megawattstunden|megawatt-hour",
    "GWh": "gigawatt-hours|gigawatt hours|gigawatthours|gigawattstunden|gigawatt-hour",
    "TWh": "terawatt-hours|terawatt hours|terawattstunden",
    "J": "joules|joule",
    "GJ": "gigajoules|gigajoule",
    "PJ": "petajoules|petajoule",
    "kcal": "kilocalories|kilocalorie",
    "year": "years|year|yrs|yr|jahre|jahren|jahr|ans|années|años|anni|jaar|år",
    "month": "months|month|monate|monaten|monat|mois|meses|mesi",
    "week": "weeks|week|wochen|woche|semaines|semanas",
    "day": "days|day|tage|tagen|tag|jours|días|giorni|dagen",
    "hour": "hours|hour|stunden|stunde|heures|horas",
    "minute": "minutes|minute|minuten|mins",
    "second": "seconds|second|sekunden|secs|sec",
    "degC": "degrees celsius|degree celsius|degrees centigrade|grad celsius|deg c",
    "degF": "degrees fahrenheit|degree fahrenheit",
    "kelvin": "kelvins|kelvin",
    "degree": "degrees|degree",
    "megabyte": "megabytes|megabyte",
    "gigabyte": "gigabytes|gigabyte",
    "terabyte": "terabytes|terabyte",
    "kilobyte": "kilobytes|kilobyte",
    "byte": "bytes|byte",
    "knot": "knots|knot",
}.items():
    _WORDS.update(dict.fromkeys(_names.split("|"), _unit))
for _code, _names in _CURRENCY_WORDS.items():
    _WORDS.update(dict.fromkeys(_names.split(), _code))
_WORDS.update(
    {
        "us dollars": "USD",
        "u.s. dollars": "USD",
        "pounds sterling": "GBP",
        "pound sterling": "GBP",
        "swiss francs": "CHF",
        "schweizer franken": "CHF",
    }
)

# What a rate may be taken by, beyond the units above; each is a dimension of its own.
_SHARED_BY = {
    "person": "capita person head inhabitant resident kopf person einwohner habitant",
    "household": "household home haushalt dwelling",
    "employee": "employee worker fte mitarbeiter",
    "vehicle": "vehicle car fahrzeug",
    "patient": "patient",
    "share": "share aktie",
    "piece": "unit piece item stück",
    "passenger": "passenger",
    "night": "night nacht",
    "student": "student pupil",
    "customer": "customer user subscriber",
    "site": "site plant",
    "case": "case",
}
_SHARERS = {name: canonical for canonical, names in _SHARED_BY.items() for name in names.split()}


def _alternatives(names: list[str]) -> str:
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))


CURRENCY = rf"(?:(?:{_alternatives(list(_CURRENCY_SIGNS))})|\b(?:{'|'.join(_CURRENCIES)})\b)"
_SYMBOL = rf"(?-i:(?:{_alternatives(list(_SYMBOLS))})(?![\w²³]))"
_CURRENCY_AFTER = rf"(?-i:(?:{_alternatives(list(_CURRENCY_SIGNS))})(?![\w])|(?:{'|'.join(_CURRENCIES)})\b)"
_PERCENT_SIGN = r"[%٪﹪％](?![-\s]?(?:points?\b|punkte?n?\b))|‰"
_ONE = rf"(?:{_PERCENT_SIGN}|{_CURRENCY_AFTER}|(?:{_alternatives(list(_WORDS))})(?!\w)|{_SYMBOL})"
_PER = rf"(?:\s?/\s?|\s+(?:per|pro|je|par|por|a|an|each)\s+)(?:(?:{'|'.join(_SHARERS)})s?(?!\w)|{_ONE})"
UNIT = re.compile(rf"{_ONE}(?:{_PER}){{0,2}}", re.IGNORECASE)
PREFIX_CURRENCY = re.compile(rf"(?-i:{CURRENCY})\s?[-−–]?\s?$")


def currency(sign: str) -> str:
    """The code of a currency sign or code (``$`` is taken for US dollars)."""
    sign = sign.strip()
    return _CURRENCY_SIGNS.get(sign, sign)


def is_currency(unit: str) -> bool:
    """Whether a unit is a sum of money (``EUR``), not a rate of it (``EUR/MWh``)."""
    return unit in _CURRENCIES


@lru_cache(maxsize=4096)
def canonical(written: str) -> str:
    """The unit expression of a written unit (``kWh per capita`` to ``kWh/person``); empty when it is none."""
    parts = re.split(r"\s?/\s?|\s+(?:per|pro|je|par|por|a|an|each)\s+", written.strip())
    if len(parts) > 1 and _one(written.strip()):
        return _one(written.strip())
    units = [
        _one(parts[0]),
        *(_SHARERS.get(part.lower().rstrip("s")) or _SHARERS.get(part.lower()) or _one(part) for part in parts[1:]),
    ]
    return "/".join(units) if all(units) else ""


def _one(written: str) -> str:
    if written in ("%", "٪", "﹪", "％"):
        return PERCENT
    if written == "‰":
        return "permille"
    if written in _SYMBOLS:
        return _SYMBOLS[written]
    if written in _CURRENCY_SIGNS or written in _CURRENCIES:
        return currency(written)
    return _WORDS.get(re.sub(r"\s+", " ", written.lower()), "")


@lru_cache(maxsize=1)
def _registry() -> UnitRegistry[float]:
    from pint import UnitRegistry  # half a second; only when two different units meet

    registry: UnitRegistry[float] = UnitRegistry(autoconvert_offset_to_baseunit=True, cache_folder=None)
    for code in _CURRENCIES:
        registry.define(f"{code} = [currency_{code}]")
    for name in _SHARED_BY:
        registry.define(f"{name}_ = [{name}]")
    for definition in ("percentage_point = [point]", "basis_point = 0.01 * percentage_point"):
        registry.define(definition)
    return registry


def _expression(unit: str) -> str:
    return "/".join(f"{part}_" if part in _SHARED_BY else part for part in unit.split("/"))


@lru_cache(maxsize=4096)
def _measure(unit: str) -> tuple[str, float, float] | None:
    """Dimension, factor and offset to base units of a unit expression; None when nobody knows it."""
    registry = _registry()
    try:
        one = registry.Quantity(1.0, _expression(unit)).to_base_units()
        zero = registry.Quantity(0.0, _expression(unit)).to_base_units()
    except Exception:  # pint raises many kinds; an unknown unit is an answer here
        return None
    return str(one.dimensionality), float(one.magnitude - zero.magnitude), float(zero.magnitude)


_KINDS: dict[str, str] = {
    unit: kind
    for kind, names in {
        "share": "percent permille ppm ppb",
        "points": "percentage_point basis_point",
        "time": "year month week day hour minute second ms us",
        "length": "km cm m mm nm um mi mile ft yd yard inch",
        "mass": "kg g mg ug lb oz metric_ton kilometric_ton megametric_ton gigametric_ton",
        "energy": "Wh kWh MWh GWh TWh J kJ MJ GJ TJ PJ kcal",
        "power": "W kW MW GW TW",
        "area": "ha acre km**2 m**2 cm**2 mile**2 ft**2",
        "volume": "liter ml hl m**3 cm**3 gallon oil_barrel",
        "temperature": "degC degF kelvin",
        "data": "kB MB GB TB PB byte kilobyte megabyte gigabyte terabyte megabit gigabit kilobit",
        **{f"money {code}": code for code in _CURRENCIES},
    }.items()
    for unit in names.split()
}


def commensurable(first: str, second: str) -> bool:
    """Whether values in the two units can be compared at all. Percent, points and bare numbers stay apart."""
    if first == second:
        return True
    if not first or not second or first.count("/") != second.count("/"):
        return False
    kinds = _KINDS.get(first), _KINDS.get(second)
    if all(kinds):
        return kinds[0] == kinds[1]
    if any(kinds) and "/" not in first and {*kinds} & {"share", "points", "time"}:
        return False
    left, right = _measure(first), _measure(second)
    return left is not None and right is not None and left[0] == right[0]


def convert(value: float, unit: str, goal: str) -> float | None:
    """A value in another unit, or None when the two have nothing in common."""
    if unit == goal:
        return value
    if not commensurable(unit, goal):
        return None
    here, there = _measure(unit), _measure(goal)
    if here is None or there is None:
        return None
    return (value * here[1] + here[2] - there[2]) / there[1]


def dimension(unit: str) -> str:
    """A key that is the same for all units of one dimension; the unit itself where pint does not know it."""
    if unit in ("", PERCENT, POINT, BASIS_POINT):
        return {BASIS_POINT: POINT}.get(unit, unit)
    measured = _measure(unit)
    return unit if measured is None else measured[0]
