#!/bin/sh
exec cat /srv/app/greeting
