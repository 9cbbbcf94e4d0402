"""The addresses of these pages."""

from django.urls import path

urlpatterns: list[object] = []
