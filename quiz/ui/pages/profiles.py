"""Profiles: who practises on this machine, and a backup of everything."""

from quiz.ui.profiles import profiles_and_backup

profiles_and_backup()
