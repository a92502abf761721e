"""Word lists of the facts: near synonyms, words of reporting, words that narrow a figure, and events."""

from __future__ import annotations

from deepresearch.evidence.words import stem, word_set

SYNONYMS: dict[str, str] = {}
for _word, _others in {
    "consumption": "use used uses using usage consume consumed consumes consuming demand verbrauch verbraucht "
    "verbrauchte",
    "employee": "employees staff workforce headcount workers worker employed employs employ personnel "
    "mitarbeiter beschäftigte jobs",
    "revenue": "revenues sales turnover umsatz umsätze",
    "cost": "costs expenditure expenses spending spent expense outlay outlays kosten",
    "production": "produced produces produce output generated generates generation generate yield yielded "
    "producing erzeugung erzeugte produktion",
    "emission": "emissions emitted emits emit emissionen",
    "population": "inhabitants residents einwohner inhabitant",
    "profit": "profits earnings gewinn surplus",
    "capacity": "capable leistung",
    "visitor": "visitors visits guests attendance visited attended welcomed",
    "investment": "invested invests invest investments capex",
    "price": "prices priced preis",
    "electricity": "power strom electric electrical",
    "accident": "accidents incidents injuries",
    "waste": "refuse rubbish garbage",
    "customer": "customers clients subscribers",
    "area": "size surface covers covering covered spans fläche",
}.items():
    SYNONYMS.update(dict.fromkeys([_word, *_others.split()], _word))

# Verbs and nouns of reporting: they say that a value is given, not which.
REPORTING = word_set("""
    amount amounted amounts amounting total totalled totaled totalling totaling come came comes stand stood
    stands reach reached reaches reaching report reported reports reporting record recorded records
    recording figure figures value level levels number numbers according accounts accounted show shows
    showed shown year years annual annually month months quarter day days figure register registered
    registers registering measure measured measures measuring put puts state stated states note noted notes
    see saw seen rise rose risen rises rising fall fell fallen falls falling increase increased increases
    increasing decrease decreased decreases decreasing grow grew grown grows growing drop dropped drops
    climb climbed climbs decline declined declines declining up down higher lower say said says give gave
    given gives find found finds overall equal equals equalled equivalent correspond corresponds count
    counted counts post posted posts document documents documented table data audit audited auditors list
    listed lists publish published indicate indicated indicates estimate result results around roughly
    approximately about nearly almost exactly just slightly well remain remained remains full whole during
    across throughout end start overview summary review period account books tally tallied make made makes
    run ran runs have take took taken betrug beträgt lag liegt stieg sank jahr insgesamt belief meldete
    erreichte confirm confirmed confirms calendar close closed compare compared comparison versus against
    site's plant's our we their its mean also again still already recent recently latest page final version
    statement""")
SCOPE: dict[str, str] = {}
for _mark, _others in {
    "forecast": """
        forecast forecasts forecasted projected projection projections project expected expects expect
        expecting planned plan plans planning target targets targeted goal goals aim aims aimed will would
        should could might budget budgeted budgets anticipated anticipates estimate estimates outlook
        scenario assumed assumes assumption proposed proposal intends intended ambition pledged pledge
        prognose geplant erwartet ziel soll prévu previsto objective""",
    "net": "net netto",
    "gross": "gross brutto",
    "average": "average averages averaged mean median durchschnitt durchschnittlich moyenne",
    "maximum": "peak maximum max highest record top upper",
    "minimum": "minimum min lowest least lower-bound",
    "cumulative": "cumulative cumulatively aggregate combined together altogether",
    "women": "women woman female females girls",
    "men": "men man male males boys",
    "domestic": "domestic national home inland",
    "foreign": "foreign international abroad overseas",
    "direct": "direct",
    "indirect": "indirect",
    "import": "import imports imported",
    "export": "export exports exported",
    "capacity": "capacity",
    "share": "share proportion fraction portion anteil",
    "excluding": "excluding exclude excluded excludes without except",
    "including": "including included includes include",
    "part_time": "part-time temporary seasonal",
    "full_time": "full-time permanent",
    "winter": "winter",
    "summer": "summer",
    "weekday": "weekday weekdays",
    "weekend": "weekend weekends",
    "north": "north northern",
    "south": "south southern",
    "east": "east eastern",
    "west": "west western",
    "restated": "restated adjusted",
    "previous": "previous earlier former previously prior last",
    "first": "first",
    "second": "second",
    "third": "third",
    "before": "before",
    "after": "after",
    "operating": "operating operational",
    "renewable": "renewable renewables",
    "fossil": "fossil",
    "industry": "industry industrial",
    "household": "household households residential",
    "urban": "urban city",
    "rural": "rural",
    "adult": "adults adult",
    "child": "children child",
    "other": "other rest remaining",
    "only": "alone",
    "half": "half",
    "daily": "daily",
    "monthly": "monthly",
    "weekly": "weekly",
    "hourly": "hourly",
    "quarterly": "quarterly",
    "indoor": "indoor",
    "outdoor": "outdoor",
    "public": "public",
    "private": "private",
    "heating": "heating heat thermal",
    "cooling": "cooling",
    "hypothetical": "if unless hypothetical hypothetically",
    "@annexe": "annexe annex",
    "@wing": "wing",
    "@branch": "branch subsidiary division department",
    "@hall": "hall block floor storey basement",
    "@store": "store warehouse depot",
    "@shift": "shift",
    "@boiler": "boiler boilers",
    "@unit": "unit units",
    "negated": "not no never denied denies without wrongly incorrectly erroneously",
}.items():
    SCOPE.update(dict.fromkeys(_others.split(), _mark))
EVENTS: dict[str, str] = {}
for _event, _others in {
    "founded": "founded established founding gegründet",
    "opened": "opened inaugurated opening eröffnet",
    "commissioned": "commissioned",
    "completed": "completed finished completion fertiggestellt",
    "started": "started began begun launched launch",
    "closed": "closed shut decommissioned closure geschlossen",
    "signed": "signed",
    "acquired": "acquired bought purchased acquisition",
    "born": "born geboren",
    "died": "died gestorben",
    "built": "built constructed erected gebaut",
    "merged": "merged",
    "discovered": "discovered",
    "awarded": "awarded",
    "introduced": "introduced",
    "replaced": "replaced",
    "installed": "installed",
    "abolished": "abolished",
    "joined": "joined",
    "adopted": "adopted",
}.items():
    EVENTS.update(dict.fromkeys(_others.split(), _event))


def canonical_word(word: str) -> str:
    """The stem that stands for a word and its near synonyms."""
    lower = word.lower().replace("’", "'").removesuffix("'s")
    return stem(SYNONYMS.get(lower, lower))
