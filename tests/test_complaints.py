"""What users of other consent tools complain about: each of the 25 complaints has tests here by name."""

import ast
from pathlib import Path

import pytest

HERE = Path(__file__).parent
COMPLAINTS = {
    "1 no proof of consent on the server": [
        "browser/test_promise.py::test_a_choice_becomes_a_receipt_that_others_verify"
    ],
    "2 anyone can write or replay records": [
        "test_recording.py::test_a_foreign_or_missing_origin_may_not_record",
        "test_recording.py::test_the_same_choice_again_gets_the_same_receipt",
    ],
    "3 a rate limit drops a withdrawal": [
        "test_recording.py::test_a_withdrawal_right_after_too_many_grants_is_recorded"
    ],
    "4 withdrawal leaves cookies behind": [
        "browser/test_world.py::test_withdrawing_clears_cookies_of_every_parent_domain_and_path",
        "browser/test_late.py::test_withdrawing_clears_what_was_stored_and_says_what_it_cannot_reach",
    ],
    "5 vendors make their cookies anew": [
        "browser/test_late.py::test_a_cookie_that_comes_back_is_cleared_on_the_next_page"
    ],
    "6 no Google Consent Mode of its own": [
        "browser/test_tag_and_api.py::test_google_hears_the_default_first_and_every_change"
    ],
    "7 Consent Mode comes too late": [
        "browser/test_guard.py::test_the_guard_answers_from_the_line_after_it_and_speaks_first",
        "browser/test_world.py::test_the_signal_is_told_before_what_waited_is_released",
    ],
    "8 a saved choice is applied late": ["browser/test_world.py::test_a_returning_visitor_needs_no_service"],
    "9 something is granted without a click": [
        "browser/test_banner.py::test_leaving_the_preferences_changes_nothing_and_returns_focus",
        "browser/test_guard.py::test_a_service_that_fails_neither_delays_nor_breaks_the_page",
    ],
    "10 what is added later is not blocked": [
        "browser/test_late.py::test_a_script_added_later_waits_and_then_runs_once"
    ],
    "11 always allowing an embed is forgotten": [
        "browser/test_embeds.py::test_always_allowing_grants_the_service_and_is_recorded",
        "browser/test_embeds.py::test_loading_once_is_for_this_page_view_and_recorded_as_such",
        "browser/test_embeds.py::test_where_only_embeds_ask_no_banner_comes_and_always_is_remembered",
    ],
    "12 a strict content-security policy breaks it": [
        "browser/test_strict_page.py::test_the_whole_flow_violates_nothing"
    ],
    "13 screen readers and keyboards are shut out": [
        "browser/test_accessibility.py::test_axe_finds_nothing",
        "browser/test_banner.py::test_a_keyboard_reaches_everything_and_sees_where_it_is",
    ],
    "14 taking back is harder than giving": [
        "browser/test_banner.py::test_what_was_granted_is_withdrawn_where_it_was_given"
    ],
    "15 refusing is harder than accepting": [
        "browser/test_layouts.py::test_a_banner_fits_every_screen_and_its_answers_are_equal",
        "browser/test_banner.py::test_closing_refuses",
    ],
    "16 Global Privacy Control overrules a click": [
        "browser/test_world.py::test_global_privacy_control_never_overrules_a_click"
    ],
    "17 every domain and sub-domain asks again": [
        "browser/test_world.py::test_sub_domains_may_share_one_choice",
        "browser/test_across.py::test_a_choice_follows_a_link_to_another_origin",
        "browser/test_across.py::test_what_somebody_else_hands_over_is_not_taken",
    ],
    "18 cookies of parent and host domain quarrel": [
        "browser/test_world.py::test_a_cookie_from_before_the_domain_was_shared_does_not_linger"
    ],
    "19 the banner is late, flashes and shifts the page": [
        "browser/test_surroundings.py::test_nothing_on_the_page_moves"
    ],
    "20 it needs a framework": ["test_snippet.py::test_the_tag_is_asynchronous_unless_asked_otherwise"],
    "21 consent for one service, and a cookie that stays small": [
        "browser/test_preferences.py::test_a_service_can_be_refused_inside_a_granted_category",
        "test_state.py::test_a_cookie_of_500_bytes_is_absent",
    ],
    "22 visitors are asked again for nothing": ["test_policy.py::test_only_what_consent_was_about_is_material"],
    "23 the script pasted twice runs twice": ["browser/test_tag_and_api.py::test_of_two_tags_one_counts"],
    "24 ad blockers break it": [
        "browser/test_world.py::test_a_banner_that_a_blocker_takes_away_leaves_a_page_that_works",
        "browser/test_world.py::test_nothing_is_named_as_blocking_lists_name_consent_tools",
    ],
    "25 who refuses is asked more often, and nobody sees the date of a choice": [
        "browser/test_world.py::test_a_refusal_lasts_as_long_as_a_consent_unless_the_policy_says_otherwise",
        "browser/test_preferences.py::test_the_last_choice_is_told_and_its_receipt_can_be_downloaded",
    ],
}


def test_there_are_25():
    assert [int(complaint.split()[0]) for complaint in COMPLAINTS] == list(range(1, 26))


@pytest.mark.parametrize("complaint", COMPLAINTS)
def test_a_complaint_has_its_tests(complaint):
    for named in COMPLAINTS[complaint]:
        file, _, test = named.partition("::")
        tree = ast.parse((HERE / file).read_text())
        assert test in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, named
