"""Carousel's wiring: settings, services, pages. `python -m quiz serve` serves it; `streamlit run app.py` works too.

Everything stands under the guard because worker processes import the main script again when they start.
"""

if __name__ == "__main__":
    import random
    import sys
    from contextlib import nullcontext
    from datetime import UTC, datetime
    from functools import cache
    from pathlib import Path

    import streamlit as st

    from questions.loader import QuestionBankError, load_banks
    from quiz.service import Backups, LearnerData, Profiles, QuizService, RunBook
    from quiz.settings import InvalidSettings, Settings
    from quiz.storage.database import DatabaseUnusable, open_database
    from quiz.ui import components, context, shortcuts, unusable, visitors
    from quiz.ui.going import go_on
    from quiz.ui.profiles import ask_who_is_practising, page_title
    from quiz.ui.text import as_text
    from quiz.views import History
    from sandbox.forecasting import AnswerLog
    from sandbox.jobs import Laboratory
    from sandbox.registry import UnknownExperiment, find_experiment
    from sandbox.settings import InvalidLabSetting, LabSettings
    from sandbox.ui import context as lab_context

    WARM_UP_AFTER_S = 3.0  # of a first visit: loading torch would slow the first question down
    LAB, RUNS = (str(Path(__file__).parent / "sandbox" / "ui" / "pages" / f"{name}.py") for name in ("lab", "runs"))

    def experiment_title(experiment_id: str) -> str:
        """An experiment's title; the id itself when it has left the sandbox since."""
        try:
            return find_experiment(experiment_id).title
        except UnknownExperiment:
            return experiment_id

    def outcome_text(experiment_id: str, key: str) -> str:
        """What an outcome's key stands for."""
        try:
            return {outcome.key: outcome.text for outcome in find_experiment(experiment_id).predictions}.get(key, key)
        except UnknownExperiment:
            return key

    def compare_forecasts(history: History) -> None:
        """Hand a learner's answers to the sandbox, as plain numbers, to be forecast by an LSTM."""
        from sandbox.ui.forecasting import show_comparison  # plotly: only where a chart is drawn

        show_comparison(AnswerLog(history.questions, history.days, history.right, history.fsrs, history.ours))

    @st.cache_resource(show_spinner=False)
    def start() -> Laboratory:
        """Open everything once a process and hand it to the pages. Whatever cannot be used is raised before anything starts."""
        # A thread that waits for Python's lock gets it after half a millisecond instead of five: a click is answered by one
        # thread while others talk to the browser and to the workers, and each hand-over used to cost it up to five.
        sys.setswitchinterval(0.0005)
        settings, lab_settings = Settings.from_environment(), LabSettings.from_environment()
        bank = context.checked_bank() or load_banks(settings.questions)
        database = open_database(settings.database_url)
        service = QuizService(database, bank)

        @cache  # one book a learner: the laboratory tells by it whose a run is
        def runs_of(learner: int) -> RunBook:
            return RunBook(database, learner)

        def end_interrupted_runs() -> None:
            for learner in service.learners():
                runs_of(learner).fail_interrupted(datetime.now(UTC))

        def laboratory_here() -> Laboratory:
            try:
                return laboratory.with_store(runs_of(context.quiz().learner))
            except context.NobodyChosen:
                st.rerun()  # the profile was deleted while its run was watched: the whole page asks who is practising
                raise

        def after_restoring() -> None:
            runs_of.cache_clear()  # the laboratory's runs in memory were of the old learners
            end_interrupted_runs()
            service.start_anew()
            profiles.refresh()
            visitors.forget_everybody()

        end_interrupted_runs()
        laboratory = Laboratory(lab_settings, runs_of(service.default_learner()))
        profiles = Profiles(database, service)
        context.configure(
            context.Quiz(
                service,
                bank,
                profiles,
                Backups(database, after_restoring),
                LAB,
                experiment_title,
                outcome_text,
                compare_forecasts,
                random.Random(),
                lambda learner: LearnerData(service, database, learner),
            )
        )
        context.on_close(database.close)
        context.on_close(laboratory.close)
        lab_context.configure(laboratory_here)
        return laboratory

    components.tab_icon()
    try:
        laboratory = start()
    except (QuestionBankError, DatabaseUnusable, InvalidSettings, InvalidLabSetting) as error:
        components.page_frame("Carousel cannot start yet")
        unusable.show(error)
        st.stop()
    context.profiles().refresh()
    somebody = visitors.arrive(context.profiles())
    title, several = page_title() if somebody is not None else ("Profiles", False)
    page = st.navigation(
        [
            st.Page(components.TODAY, title="Today", icon=":material/today:", default=True),
            st.Page(components.PRACTICE, title="Practice", icon=":material/quiz:"),
            st.Page(components.STUDY, title="Study", icon=":material/menu_book:"),
            st.Page(LAB, title="Lab", icon=":material/science:"),
            st.Page(RUNS, title="Runs", icon=":material/history:"),
            st.Page(components.PROGRESS, title="Progress", icon=":material/monitoring:"),
            st.Page(components.DATA, title="Your data", icon=":material/folder_open:", url_path="data"),
            st.Page(components.PROFILES, title=as_text(title), icon=":material/person:", url_path="profiles", visibility="visible" if several else "hidden"),
            st.Page(components.DIAGNOSTIC, title="Diagnostic", icon=":material/straighten:", visibility="hidden"),
        ],
        position="top" if somebody is not None else "hidden",
    )
    go_on(page.url_path)
    components.page_frame(f"{title if page.url_path == 'profiles' else page.title} · Carousel", wide=page.title == "Lab")  # charts need the room
    try:
        (ask_who_is_practising if somebody is None else unusable.careful_drawing(page.run))()
        with nullcontext() if somebody is None else visitors.marked(somebody):
            shortcuts.offer_shortcuts()
    finally:
        in_the_lab = page.title == "Lab"
        # With a browser there (page tests have none), its first run should find the workers ready.
        if st.context.headers and (in_the_lab or laboratory.settings.warm_up):
            laboratory.warm_up(0.0 if in_the_lab else WARM_UP_AFTER_S)
