"""Words too common to search for, by language, chosen for questions and running prose.

The lists are short on purpose: a missing stop word costs little (its inverse document frequency is near
zero anyway), a wrong one hides what a person looked for. Negations and quantities are therefore not listed.
All entries are folded the way `deepresearch.retrieval.tokens` folds text: lower case, no accents.
"""

from __future__ import annotations


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


STOP_WORDS: dict[str, frozenset[str]] = {
    "en": _words(
        """
        a about also am an and any are as at be because been being but by can could did do does
        doing for from had has have having he her here hers him his how i if in into is it its
        itself just may me might my of on or our ours shall she should so some such than that the
        their theirs them then there these they this those to too us very was we were what when
        where which while who whom whose why will with would you your yours s t d ll re ve
        """
    ),
    "de": _words(
        """
        aber als also am an auch auf aus bei beim bin bis da damit dann das dass dein dem den der
        deren des die dies diese diesem diesen dieser dieses doch dort du durch ein eine einem einen
        einer eines er es etwa fur gibt haben hat hatte hatten ich ihm ihn ihr ihre ihrem ihren
        ihrer im in ins ist ja kann konnen man mein mit nach noch nun nur ob oder sein seine seinem
        seinen seiner seit sich sie sind so sowie uber um und uns unser unter vom von vor wann war
        waren warum was wegen welche welchem welchen welcher welches wenn wer werden wie wieso wir
        wird wo wurde wurden zu zum zur zwischen
        """
    ),
    "fr": _words(
        """
        a ai ainsi alors apres au aussi aux avait avant avec avez avons c ce cela ces cet cette ceux
        chez comme comment d dans de depuis des dont donc du elle elles en entre est et etaient
        etait ete etre eu furent fut il ils j je l la laquelle le lequel les lesquels leur leurs
        lors lui m ma mais me mes mon n nos notre nous on ont ou par parce pendant peut pour
        pourquoi qu quand que quel quelle quelles quels qui quoi s sa se sera ses si son sont sous
        sur t ta te tes toi ton tu un une vos votre vous y
        """
    ),
    "es": _words(
        """
        a al algo ante aquel aquella aqui asi aun como con cual cuales cuando cuanto de del desde
        donde durante e el ella ellas ellos en entre era eran es esa esas ese eso esos esta estaba
        estan estar estas este esto estos fue fueron ha haber habia han hasta hay la las le les lo
        los me mi mientras muy nos nosotros o para pero por porque pues que quien quienes se segun
        ser si sido sin sobre son su sus tambien te tiene tienen tu un una unas uno unos y ya yo
        """
    ),
    "it": _words(
        """
        a ad agli ai al alla alle allo anche c che chi ci come con cosa cui d da dagli dai dal dalla
        dalle dallo degli dei del dell della delle dello di dopo dove e ed era erano essere fra gli
        ha hanno i il in io l la le lei lo loro lui ma mentre mi mio ne negli nei nel nell nella
        nelle nello noi o oppure per perche pero piu poi qual quale quali quando quanto quella
        quelle quelli quello questa queste questi questo qui se si sia sono stata stati stato su sua
        sue sugli sui sul sull sulla sulle suo suoi tra tu un una uno vi voi
        """
    ),
    "nl": _words(
        """
        aan al als bij dan dat de deze die dit doch door dus een en er ergens had hadden heb hebben
        heeft hem het hij hoe hun iets ik in is ja je kan konden kunnen maar me men met mij mijn na
        naar nog nu of om omdat onder ons ook op over te tegen tijdens toch toen tot uit van vanaf
        voor waar waarom wanneer want waren was wat we wel welk welke werd werden wie wij wordt
        worden zal zich zij zijn zo zoals zou zouden
        """
    ),
    "pt": _words(
        """
        a ainda ao aos apos as assim ate com como cujo da das de dela dele deles desde do dos e ela
        elas ele eles em entre era eram essa esse esta estao este eu foi foram ha isso isto ja la
        lhe mas me mesmo meu muito na nas nem no nos nossa nosso num numa o onde os ou para pela
        pelas pelo pelos por porque qual quais quando que quem sao se seja sem ser seu seus sob
        sobre sua suas tambem tem tinha um uma umas uns voce
        """
    ),
    "sv": _words(
        """
        alla att av blev bli blir da dar de den denna deras dess det detta dig din du eller en er
        ett fran for ha hade han har hon hos hur i ar ja jag kan med mellan men mig min mot nar nu
        och om oss pa samma sedan sig sin sina sitt skulle som till under upp ut vad var varfor vara
        vart vem vi vid vilka vilken vilket
        """
    ),
    "da": _words(
        """
        af alle at blev blive bliver da de dem den denne der deres det dette dig din du efter eller
        en end er et for fra ham han har havde hende her hos hun hvad hvem hvor hvordan hvorfor i
        jeg kan man med mellem men mig min mod nar nu og om op os pa samt sig sin sine skal skulle
        som til ud under var ved vi vil
        """
    ),
}

SNOWBALL_NAMES: dict[str, str] = {
    "en": "english",
    "de": "german",
    "fr": "french",
    "es": "spanish",
    "it": "italian",
    "nl": "dutch",
    "pt": "portuguese",
    "sv": "swedish",
    "da": "danish",
}
