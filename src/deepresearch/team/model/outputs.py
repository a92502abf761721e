"""What each role has to answer with. Bounds are wide: what matters is checked afterwards, by the gates."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from deepresearch.model.plan import QuestionType


class _Answer(BaseModel):
    # Fields that nobody asked for are left aside: they change nothing.
    model_config = ConfigDict(extra="ignore", frozen=True)


class PlannedQuestion(_Answer):
    """One part of the question, and what to search for."""

    question: str = Field(min_length=3, max_length=500)
    type: QuestionType = QuestionType.FACT
    queries: tuple[str, ...] = ()


class PlanAnswer(_Answer):
    """The planner's answer: the parts of the question."""

    sub_questions: tuple[PlannedQuestion, ...] = Field(min_length=1)
    wants_computation: bool = False


class QuotedWords(_Answer):
    """Words of a passage, exactly as they stand there."""

    passage: str
    words: str


class ReadFinding(_Answer):
    """One statement that answers the question, with the words it rests on."""

    statement: str = Field(min_length=3, max_length=1200)
    quotes: tuple[QuotedWords, ...] = ()
    relevance: float = Field(default=0.8, ge=0, le=1)


class ReadAnswer(_Answer):
    """The reader's answer; empty when the passages do not answer the question."""

    findings: tuple[ReadFinding, ...] = ()


class GapsAnswer(_Answer):
    """The critic's answer: is the question covered, what is missing, what else to search for."""

    covered: bool
    missing: tuple[str, ...] = ()
    queries: tuple[str, ...] = ()


class ChosenPoint(_Answer):
    """A value by the cell that holds it, with the label it stands for."""

    label: str
    cell: str


class ChosenSeries(_Answer):
    """Values of one thing."""

    name: str = Field(min_length=1, max_length=300)
    unit: str = ""
    axis: str = "category"
    points: tuple[ChosenPoint, ...] = Field(min_length=1)


class Computation(_Answer):
    """A script with the cells it works on."""

    title: str = Field(min_length=3, max_length=200)
    data: tuple[ChosenSeries, ...] = Field(min_length=1)
    script: str = Field(min_length=10, max_length=20_000)


class ComputeAnswer(_Answer):
    """The mathematician's answer; empty when nothing has to be computed."""

    computations: tuple[Computation, ...] = ()


class ScriptAnswer(_Answer):
    """A script in place of one that failed."""

    script: str = Field(min_length=10, max_length=20_000)


class WrittenSentence(_Answer):
    """One sentence of the report and what it rests on. `lead` sentences make the short answer."""

    text: str = Field(min_length=3, max_length=1200)
    findings: tuple[str, ...] = ()
    result: str | None = None
    lead: bool = False


class WriteAnswer(_Answer):
    """The writer's answer, in the order of reading."""

    sentences: tuple[WrittenSentence, ...] = ()


class RewrittenSentence(_Answer):
    """A sentence in place of one that its evidence does not carry; empty to leave it out."""

    id: str
    text: str = Field(default="", max_length=1200)


class RewriteAnswer(_Answer):
    """The writer's second try."""

    sentences: tuple[RewrittenSentence, ...] = ()
